// The content of this file is compiled on every system.

package platform

import "time"

// NetBSD: sys/netinet/tcp.h, tcp_usrreq.c, tcp_timer.c (change_keepalive).
const (
	netbsdTCPKeepIdle  = 3
	netbsdTCPKeepIntvl = 5
	netbsdTCPKeepCnt   = 6
)

func netbsd() *Table {
	return &Table{
		Name: "netbsd", GOOS: "netbsd", Title: "NetBSD",
		// While SO_KEEPALIVE is on, setting any other option arms the timer with the
		// interval, and a probe is sent early.
		TimingWhileOff: true,
		Specs: []Spec{
			{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: bsdTCP, Number: netbsdTCPKeepIdle,
				Unit: 500 * time.Millisecond, Min: 1, Max: UnknownLimit, Zero: rejected, Inherited: No, Readable: Unknown,
				Sysctl: "net.inet.tcp.keepidle", SysctlUnit: 500 * time.Millisecond},
			{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: netbsdTCPKeepIntvl,
				Unit: 500 * time.Millisecond, Min: 1, Max: UnknownLimit, Zero: rejected, Inherited: No, Readable: Unknown,
				Sysctl: "net.inet.tcp.keepintvl", SysctlUnit: 500 * time.Millisecond},
			{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: netbsdTCPKeepCnt,
				Min: 1, Max: UnknownLimit, Zero: rejected, Inherited: No, Readable: Unknown,
				Sysctl: "net.inet.tcp.keepcnt"},
			bsdKeepAlive(),
		},
		Absent:       map[Option]string{UserTimeout: "NetBSD has no limit on unacknowledged data per socket"},
		ArmsListener: Yes,
		ListenerSource: "sys/netinet/tcp_usrreq.c (change_keepalive) arms the timer for TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT in any state, " +
			"and tcp_timer.c 1.89 (tcp_timer_keep) drops a socket below ESTABLISHED when it fires: the listener dies after the idle time or the interval",
		Notes: []string{
			"The kernel counts TCP_KEEPIDLE and TCP_KEEPINTVL in slow ticks of half a second, although tcp(4) says seconds; this package sets twice the seconds, Go's net package does not.",
			"An option set on a listening socket ends it when the timer fires: nothing is set before accept. Accepted sockets would inherit SO_KEEPALIVE only.",
			"The kernel takes any value above 0, and multiplies interval and count without a check; the values at which that overflows were not determined.",
			"Older kernels cannot read the options back (ENOPROTOOPT): 7.99.34 of 2016 was run and could not.",
			"The newest release was not checked: if it counts seconds, probes leave after twice the time asked for.",
		},
		Source: "NetBSD 10 source and a 2016 kernel that was run; compiled, not run on a current one",
	}
}
