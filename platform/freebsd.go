// The content of this file is compiled on every system.

package platform

import "time"

// FreeBSD: sys/netinet/tcp.h, tcp_usrreq.c (tcp_default_ctloutput),
// tcp_timer.c, tcp_syncache.c (what an accepted socket copies).
const (
	freebsdTCPKeepIdle     = 0x100
	freebsdTCPKeepIntvl    = 0x200
	freebsdTCPKeepCnt      = 0x400
	freebsdTCPMaxUnackTime = 68 // not in x/sys
	freebsdMaxSeconds      = (1<<32 - 1) / 1000
)

func freebsd() *Table {
	return &Table{
		Name: "freebsd", GOOS: "freebsd", Title: "FreeBSD",
		Specs: []Spec{
			{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: freebsdTCPKeepIntvl,
				Unit: time.Second, Min: 1, Max: freebsdMaxSeconds, Zero: systemDefault, Inherited: Yes, Readable: Yes,
				Sysctl: "net.inet.tcp.keepintvl", SysctlUnit: time.Millisecond},
			{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: freebsdTCPKeepCnt,
				Min: 1, Max: 1<<31 - 1, Zero: systemDefault, Inherited: Yes, Readable: Yes,
				Sysctl: "net.inet.tcp.keepcnt"},
			{Option: UserTimeout, Symbol: "TCP_MAXUNACKTIME", Level: bsdTCP, Number: freebsdTCPMaxUnackTime,
				Unit: time.Second, Min: 1, Max: freebsdMaxSeconds, Zero: off, Inherited: Unknown, Readable: Yes},
			bsdKeepAlive(),
			{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: bsdTCP, Number: freebsdTCPKeepIdle,
				Unit: time.Second, Min: 1, Max: freebsdMaxSeconds, Zero: systemDefault, Inherited: Yes, Readable: Yes,
				Sysctl: "net.inet.tcp.keepidle", SysctlUnit: time.Millisecond},
		},
		AlwaysProbes:   bsdAlwaysKeepAlive,
		ArmsListener:   No,
		ListenerSource: "FreeBSD 14/15 sys/netinet/tcp_usrreq.c (tcp_default_ctloutput): TCP_KEEPIDLE starts the timer only above TCPS_LISTEN, the others touch none",
		Notes: []string{
			alwaysProbesExplanation,
			"TCP_MAXUNACKTIME exists since FreeBSD 14: earlier releases answer ENOPROTOOPT.",
			"Setting TCP_KEEPIDLE on a connection starts a full idle time from now.",
		},
		Source: "FreeBSD 14/15 source, tcp(4); compiled, not run",
	}
}
