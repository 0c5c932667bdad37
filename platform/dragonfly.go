// The content of this file is compiled on every system.

package platform

import "time"

// DragonFly BSD: sys/netinet/tcp.h, tcp_usrreq.c.
const (
	dragonflyTCPKeepIdle  = 0x100
	dragonflyTCPKeepIntvl = 0x200
	dragonflyTCPKeepCnt   = 0x400
)

func dragonflySpecs(unit time.Duration) []Spec {
	return []Spec{
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: dragonflyTCPKeepIntvl,
			Unit: unit, Min: 1, Max: UnknownLimit, Zero: rejected, Inherited: Unknown, Readable: Yes},
		{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: dragonflyTCPKeepCnt,
			Min: 1, Max: UnknownLimit, Zero: rejected, Inherited: Unknown, Readable: Yes,
			Sysctl: "net.inet.tcp.keepcnt"},
		bsdKeepAlive(),
		{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: bsdTCP, Number: dragonflyTCPKeepIdle,
			Unit: unit, Min: 1, Max: UnknownLimit, Zero: rejected, Inherited: Unknown, Readable: Yes},
	}
}

const dragonflyNoUserTimeout = "DragonFly BSD has no limit on unacknowledged data per socket"

const dragonflyListenerSource = "TCP_KEEPIDLE calls tcp_timer_keep_activity (sys/netinet/tcp_usrreq.c), whose effect in state LISTEN was not checked"

func dragonfly() *Table {
	return &Table{
		Name: "dragonfly", GOOS: "dragonfly", Title: "DragonFly BSD",
		Specs:          dragonflySpecs(time.Second),
		Absent:         map[Option]string{UserTimeout: dragonflyNoUserTimeout},
		AlwaysProbes:   bsdAlwaysKeepAlive,
		ListenerSource: dragonflyListenerSource,
		Notes: []string{
			alwaysProbesExplanation,
			"The options count seconds since 5.8 (kern.osreldate 500702), and milliseconds before.",
			"tcp(4) says that accepted sockets inherit the options; that was not checked, so they are set again after accept.",
		},
		Source: "DragonFly BSD source after 5.8, golang/go#65809; compiled, not run",
	}
}

func dragonflyBefore58() *Table {
	return &Table{
		Name: "dragonfly-before-5.8", GOOS: "dragonfly", Title: "DragonFly BSD before 5.8",
		Specs:          dragonflySpecs(time.Millisecond),
		Absent:         map[Option]string{UserTimeout: dragonflyNoUserTimeout},
		AlwaysProbes:   bsdAlwaysKeepAlive,
		ListenerSource: dragonflyListenerSource,
		Notes:          []string{alwaysProbesExplanation, "The options count milliseconds."},
		Source:         "DragonFly BSD source before 5.8; compiled, not run",
	}
}
