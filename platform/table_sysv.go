package platform

import (
	"fmt"
	"time"
)

// illumos and Solaris: usr/src/uts/common/netinet/tcp.h, inet/tcp/tcp_opt_data.c.
// x/sys has one set of numbers for both, which is that of illumos: Solaris 11.4
// chose others (the values of Go's net/tcpsockopt_solaris.go are the only
// public record we know).
const (
	sysvSolSocket   = 0xffff
	sysvSoKeepAlive = 8
	sysvTCP         = 6

	sysvTCPAbortThreshold          = 0x11
	sysvTCPKeepAliveThreshold      = 0x16
	sysvTCPKeepAliveAbortThreshold = 0x17

	illumosTCPKeepIdle  = 0x22
	illumosTCPKeepCnt   = 0x23
	illumosTCPKeepIntvl = 0x24

	solarisTCPKeepIdle  = 0x1d
	solarisTCPKeepIntvl = 0x1e
	solarisTCPKeepCnt   = 0x1f
)

func sysvKeepAlive(inherited Answer) Spec {
	return Spec{Option: KeepAlive, Symbol: "SO_KEEPALIVE", Level: sysvSolSocket, Number: sysvSoKeepAlive,
		Unit: Flag, Min: 0, Max: 1, Zero: ZeroOff, Inherited: inherited, Readable: Yes}
}

func sysvAbortThreshold() Spec {
	return Spec{Option: UserTimeout, Symbol: "TCP_ABORT_THRESHOLD", Level: sysvTCP, Number: sysvTCPAbortThreshold,
		Unit: Milliseconds, Min: UnknownLimit, Max: UnknownLimit, Zero: ZeroUnknown, Inherited: Unknown, Readable: Yes}
}

// sysvAbort is how long these systems go on probing by default
// (tcp_keepalive_abort_interval).
const sysvAbort = 8 * time.Minute

func sysvPair(why string) []Pair {
	return []Pair{{A: Interval, B: Count, Total: sysvAbort, Why: why}}
}

var illumos = Table{
	Name: "illumos", GOOS: "illumos", Title: "illumos",
	// The interval before the count, SO_KEEPALIVE last: 0 to 1 arms a full idle
	// time, by then the one asked for.
	Specs: []Spec{
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: sysvTCP, Number: illumosTCPKeepIntvl,
			Unit: Seconds, Min: 1, Max: 60, Zero: ZeroRejected, Inherited: Yes, Readable: Yes},
		{Option: Count, Symbol: "TCP_KEEPCNT", Level: sysvTCP, Number: illumosTCPKeepCnt,
			Unit: Times, Min: 1, Max: UnknownLimit, Zero: ZeroRejected, Inherited: Yes, Readable: Yes},
		sysvAbortThreshold(),
		{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: sysvTCP, Number: illumosTCPKeepIdle,
			Unit: Seconds, Min: 1, Max: 10 * 24 * 3600, Zero: ZeroRejected, Inherited: Yes, Readable: Yes},
		sysvKeepAlive(Yes),
	},
	Pairs:          sysvPair("the kernel computes the missing one from its abort threshold"),
	ArmsListener:   Yes,
	ListenerSource: "inet/tcp/tcp_opt_data.c (tcp_opt_set) starts the timer for SO_KEEPALIVE in any state; tcp_timers.c (tcp_keepalive_timer) starts it again below ESTABLISHED and drops nothing, but no connection needs it",
	Notes: []string{
		"TCP_KEEPINTVL must lie between the kernel's smallest and largest retransmission timeout: at most 60 s by default (tcp_rto_max).",
		"TCP_KEEPINTVL and TCP_KEEPCNT are one setting: either alone makes the kernel change the other.",
		"Their product must lie within the kernel's abort bounds, which were not verified: setsockopt's EINVAL reports it.",
		"Older builds refuse an idle time below 10 s; setsockopt's EINVAL reports it.",
		"Until an interval and a count are set, getsockopt returns 0 for both and probes back off exponentially.",
		"No probe runs on a fused loopback connection (both ends on this machine).",
		"TCP_ABORT_THRESHOLD is the time data may be retransmitted; it leaves the probe count alone.",
	},
	Source: "illumos-joyent source (tcp_opt_data.c, tcp_timers.c, tcp_tunables.c); compiled, not run",
}

const solarisListenerSource = "the source is closed; illumos, which descends from it, starts a timer there"

var solaris = Table{
	Name: "solaris", GOOS: "solaris", Title: "Oracle Solaris 11.4",
	Specs: []Spec{
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: sysvTCP, Number: solarisTCPKeepIntvl,
			Unit: Seconds, Min: UnknownLimit, Max: UnknownLimit, Zero: ZeroUnknown, Inherited: Unknown, Readable: Yes},
		{Option: Count, Symbol: "TCP_KEEPCNT", Level: sysvTCP, Number: solarisTCPKeepCnt,
			Unit: Times, Min: UnknownLimit, Max: UnknownLimit, Zero: ZeroUnknown, Inherited: Unknown, Readable: Yes},
		sysvAbortThreshold(),
		{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: sysvTCP, Number: solarisTCPKeepIdle,
			Unit: Seconds, Min: UnknownLimit, Max: UnknownLimit, Zero: ZeroUnknown, Inherited: Unknown, Readable: Yes},
		sysvKeepAlive(Unknown),
	},
	Pairs:          sysvPair("Solaris takes them together only (Go's net package documents the same)"),
	ListenerSource: solarisListenerSource,
	Notes: []string{
		"The numbers differ from illumos, whose numbers golang.org/x/sys has for both; they are taken from Go's net package and could not be checked against a header.",
		"Oracle documents 10 s to 10 days for the system-wide idle time (_keepalive_interval); whether the socket option has the same limits is not documented.",
	},
	Source: "Go's net/tcpsockopt_solaris.go, Oracle Solaris tunable parameters manual; compiled, not run",
}

var solarisBefore114 = Table{
	Name: "solaris-before-11.4", GOOS: "solaris", Title: "Oracle Solaris before 11.4",
	Specs: []Spec{
		{Option: Interval, Symbol: "TCP_KEEPALIVE_ABORT_THRESHOLD", Level: sysvTCP, Number: sysvTCPKeepAliveAbortThreshold,
			Unit: Milliseconds, Min: UnknownLimit, Max: UnknownLimit, Zero: ZeroUnknown, Inherited: Unknown, Readable: Yes, Form: Product},
		{Option: Count, Symbol: "TCP_KEEPALIVE_ABORT_THRESHOLD", Level: sysvTCP, Number: sysvTCPKeepAliveAbortThreshold,
			Unit: Times, Min: UnknownLimit, Max: UnknownLimit, Zero: ZeroUnknown, Inherited: Unknown, Readable: Yes, Form: Product},
		sysvAbortThreshold(),
		{Option: Idle, Symbol: "TCP_KEEPALIVE_THRESHOLD", Level: sysvTCP, Number: sysvTCPKeepAliveThreshold,
			Unit: Milliseconds, Min: UnknownLimit, Max: UnknownLimit, Zero: ZeroUnknown, Inherited: Unknown, Readable: Yes},
		sysvKeepAlive(Unknown),
	},
	Pairs:          sysvPair("TCP_KEEPALIVE_ABORT_THRESHOLD holds their product"),
	ListenerSource: solarisListenerSource,
	Notes: []string{
		"Only the product interval*count can be set; probes back off exponentially within it, and neither factor can be read back.",
		"Oracle documents 10 s to 10 days for the system-wide idle time (tcp_keepalive_interval) and 0 to 8 min for the abort interval; whether the socket options have the same limits is not documented.",
	},
	Source: "Go's net/tcpsockopt_solaris.go, Solaris tunable parameters manual; compiled, not run",
}

// AIX: /usr/include/netinet/tcp.h, as x/sys carries it.
const (
	aixSolSocket    = 0xffff
	aixSoKeepAlive  = 8
	aixTCP          = 6
	aixTCPKeepIdle  = 0x11
	aixTCPKeepIntvl = 0x12
	aixTCPKeepCnt   = 0x13
)

var aix = Table{
	Name: "aix", GOOS: "aix", Title: "AIX",
	Specs: []Spec{
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: aixTCP, Number: aixTCPKeepIntvl,
			Unit: Seconds, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Unknown},
		{Option: Count, Symbol: "TCP_KEEPCNT", Level: aixTCP, Number: aixTCPKeepCnt,
			Unit: Times, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Unknown},
		{Option: KeepAlive, Symbol: "SO_KEEPALIVE", Level: aixSolSocket, Number: aixSoKeepAlive,
			Unit: Flag, Min: 0, Max: 1, Zero: ZeroOff, Inherited: Unknown, Readable: Yes},
		{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: aixTCP, Number: aixTCPKeepIdle,
			Unit: Seconds, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Unknown},
	},
	Absent:         []Absence{{UserTimeout, "AIX has no limit on unacknowledged data per socket"}},
	ListenerSource: "the source is closed",
	Notes: []string{
		"Go's net package treats the options as seconds, although the system-wide defaults (no -o tcp_keepidle, tcp_keepintvl) are half-seconds; nobody verified the unit, the limits or the inheritance.",
	},
	Source: "numbers from x/sys, unit from Go's net package; compiled, not run",
}

// solarisIsBefore114 reads what uname gives: release "5.10" is Solaris 10;
// release "5.11" with version "11.3" or "11.4.0.15.0" is Solaris 11. What it
// cannot read counts as recent.
func solarisIsBefore114(release, version string) bool {
	if major, minor, ok := twoNumbers(release); ok && (major < 5 || major == 5 && minor < 11) {
		return true
	}
	major, minor, ok := twoNumbers(version)
	return ok && (major < 11 || major == 11 && minor < 4)
}

func twoNumbers(text string) (major, minor int, ok bool) {
	n, _ := fmt.Sscanf(text, "%d.%d", &major, &minor)
	return major, minor, n == 2
}
