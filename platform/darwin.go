// The content of this file is compiled on every system.

package platform

import "time"

// macOS and iOS: xnu bsd/netinet/tcp.h, tcp_usrreq.c (tcp_ctloutput),
// tcp_timer.c, tcp_input.c (what an accepted socket copies).
const (
	darwinTCPKeepAlive       = 0x10
	darwinTCPKeepIntvl       = 0x101
	darwinTCPKeepCnt         = 0x102
	darwinTCPRxtConnDropTime = 0x80

	darwinMaxSeconds = (1<<32 - 1) / 1000 // the kernel keeps milliseconds in 32 bits
)

// darwinSpecs sets SO_KEEPALIVE before the idle time: the kernel arms the timer
// when the idle time is set, and uses the socket's own value only if
// SO_KEEPALIVE is already on.
func darwinSpecs() []Spec {
	return []Spec{
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: darwinTCPKeepIntvl,
			Unit: time.Second, Min: 1, Max: darwinMaxSeconds, Zero: systemDefault, Inherited: Yes, Readable: Yes,
			Sysctl: "net.inet.tcp.keepintvl", SysctlUnit: time.Millisecond},
		{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: darwinTCPKeepCnt,
			Min: 1, Max: 1<<31 - 1, Zero: systemDefault, Inherited: Yes, Readable: Yes,
			Sysctl: "net.inet.tcp.keepcnt"},
		{Option: UserTimeout, Symbol: "TCP_RXT_CONNDROPTIME", Level: bsdTCP, Number: darwinTCPRxtConnDropTime,
			Unit: time.Second, Min: 1, Max: UnknownLimit, Zero: off, Inherited: No, Readable: Unknown},
		bsdKeepAlive(),
		{Option: Idle, Symbol: "TCP_KEEPALIVE", Level: bsdTCP, Number: darwinTCPKeepAlive,
			Unit: time.Second, Min: 1, Max: darwinMaxSeconds, Zero: systemDefault, Inherited: No, Readable: Yes,
			Sysctl: "net.inet.tcp.keepidle", SysctlUnit: time.Millisecond},
	}
}

func darwinNotes() []string {
	return []string{
		"TCP_KEEPALIVE set on a listening socket ends it after the idle time on macOS 13 and before: nothing is set before accept, on any version of macOS.",
		"Accepted sockets inherit neither TCP_KEEPALIVE (the idle time) nor TCP_RXT_CONNDROPTIME.",
		mayAlwaysProbe,
		"The idle time takes effect at once only if SO_KEEPALIVE is already on when it is set.",
		"TCP_RXT_CONNDROPTIME limits one episode of retransmissions, checked when one is due; unlike Linux's TCP_USER_TIMEOUT it leaves the probe count alone.",
	}
}

const darwinSource = "xnu-11417.101.15 (macOS 15.4); compiled, not run"

// There is one answer for all versions: xnu 10002 and later (macOS 14) arm
// nothing, but public reports also blame SO_KEEPALIVE alone, and some calls
// after accept cost less than losing a listener.
const darwinListenerSource = "xnu up to 8796.141 (macOS 13) arms the timer for TCP_KEEPALIVE in any state (tcp_usrreq.c, tcp_ctloutput), and drops a socket below ESTABLISHED when it fires (tcp_timer.c, tcp_timers): the listener dies after the idle time; since 10002 (macOS 14) it arms connections only"

func darwin() *Table {
	return &Table{
		Name: "darwin", GOOS: "darwin", Title: "macOS", Specs: darwinSpecs(),
		AlwaysProbes: bsdAlwaysKeepAlive,
		ArmsListener: Yes, ListenerSource: darwinListenerSource, Notes: darwinNotes(), Source: darwinSource,
	}
}

func ios() *Table {
	return &Table{
		Name: "ios", GOOS: "ios", Title: "iOS", Specs: darwinSpecs(),
		AlwaysProbes: bsdAlwaysKeepAlive,
		ArmsListener: Yes, ListenerSource: darwinListenerSource, Notes: darwinNotes(), Source: darwinSource,
	}
}
