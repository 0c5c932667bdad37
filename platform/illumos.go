// The content of this file is compiled on every system.

package platform

import "time"

// illumos: usr/src/uts/common/netinet/tcp.h, inet/tcp/tcp_opt_data.c. Those called sysv are
// the same on Solaris.
const (
	sysvTCPAbortThreshold          = 0x11
	sysvTCPKeepAliveThreshold      = 0x16
	sysvTCPKeepAliveAbortThreshold = 0x17

	illumosTCPKeepIdle  = 0x22
	illumosTCPKeepCnt   = 0x23
	illumosTCPKeepIntvl = 0x24
)

func sysvKeepAlive(inherited Answer) Spec {
	return Spec{Option: KeepAlive, Symbol: "SO_KEEPALIVE", Level: bsdSolSocket, Number: bsdSoKeepAlive,
		Min: 0, Max: 1, Zero: off, Inherited: inherited, Readable: Yes}
}

func sysvAbortThreshold() Spec {
	return Spec{Option: UserTimeout, Symbol: "TCP_ABORT_THRESHOLD", Level: bsdTCP, Number: sysvTCPAbortThreshold,
		Unit: time.Millisecond, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Yes}
}

// sysvAbort is how long these systems probe by default
// (tcp_keepalive_abort_interval).
const sysvAbort = 8 * time.Minute

const illumosPair = "the kernel computes the missing one from its abort threshold"

func illumos() *Table {
	return &Table{
		Name: "illumos", GOOS: "illumos", Title: "illumos",
		// The interval is set before the count. SO_KEEPALIVE is last, because switching it
		// on arms the timer with the idle time, which must already be the one asked for.
		Specs: []Spec{
			{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: illumosTCPKeepIntvl,
				Unit: time.Second, Min: 1, Max: 60, Zero: rejected, Inherited: Yes, Readable: Yes,
				Needs: Count, NeedsWhy: illumosPair},
			{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: illumosTCPKeepCnt,
				Min: 1, Max: UnknownLimit, Zero: rejected, Inherited: Yes, Readable: Yes,
				Needs: Interval, NeedsWhy: illumosPair},
			sysvAbortThreshold(),
			{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: bsdTCP, Number: illumosTCPKeepIdle,
				Unit: time.Second, Min: 1, Max: 10 * 24 * 3600, Zero: rejected, Inherited: Yes, Readable: Yes},
			sysvKeepAlive(Yes),
		},
		ProbingTime:    sysvAbort,
		ArmsListener:   Yes,
		ListenerSource: "inet/tcp/tcp_opt_data.c (tcp_opt_set) starts the timer for SO_KEEPALIVE in any state; tcp_timers.c (tcp_keepalive_timer) starts it again below ESTABLISHED and drops nothing, but no connection needs it",
		Notes: []string{
			"TCP_KEEPINTVL must lie between the kernel's smallest and largest retransmission timeout: at most 60 s by default (tcp_rto_max).",
			"TCP_KEEPINTVL and TCP_KEEPCNT are one setting: either alone makes the kernel change the other.",
			"Their product must lie within the kernel's abort bounds, which were not verified: setsockopt's EINVAL reports it.",
			"Older builds refuse an idle time below 10 s; setsockopt's EINVAL reports it.",
			"Until an interval and a count are set, getsockopt returns 0 for both and probes back off exponentially.",
			"No probe is sent on a fused loopback connection (both ends on this machine).",
			"TCP_ABORT_THRESHOLD is the time data may be retransmitted; it leaves the probe count alone.",
		},
		Source: "illumos-joyent source (tcp_opt_data.c, tcp_timers.c, tcp_tunables.c); compiled, not run",
	}
}
