// The content of this file is compiled on every system.

package platform

import "time"

// Solaris 11.4 has other numbers than illumos. Go's net/tcpsockopt_solaris.go is the only
// known public record of them: x/sys has the numbers of illumos for both. The options called
// sysv, which both systems have, are in illumos.go.
const (
	solarisTCPKeepIdle  = 0x1d
	solarisTCPKeepIntvl = 0x1e
	solarisTCPKeepCnt   = 0x1f
)

const (
	solarisPair          = "Solaris takes them together only (Go's net package documents the same)"
	solarisBefore114Pair = "TCP_KEEPALIVE_ABORT_THRESHOLD holds their product"
)

const solarisListenerSource = "the source is closed; illumos, which descends from it, starts a timer there"

func solaris() *Table {
	return &Table{
		Name: "solaris", GOOS: "solaris", Title: "Oracle Solaris 11.4",
		Specs: []Spec{
			{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: solarisTCPKeepIntvl,
				Unit: time.Second, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Yes,
				Needs: Count, NeedsWhy: solarisPair},
			{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: solarisTCPKeepCnt,
				Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Yes,
				Needs: Interval, NeedsWhy: solarisPair},
			sysvAbortThreshold(),
			{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: bsdTCP, Number: solarisTCPKeepIdle,
				Unit: time.Second, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Yes},
			sysvKeepAlive(Unknown),
		},
		ProbingTime:    sysvAbort,
		ListenerSource: solarisListenerSource,
		Notes: []string{
			"The numbers differ from illumos, whose numbers golang.org/x/sys has for both; they are taken from Go's net package and could not be checked against a header.",
			"Oracle documents 10 s to 10 days for the system-wide idle time (_keepalive_interval); whether the socket option has the same limits is not documented.",
		},
		Source: "Go's net/tcpsockopt_solaris.go, Oracle Solaris tunable parameters manual; compiled, not run",
	}
}

func solarisBefore114() *Table {
	return &Table{
		Name: "solaris-before-11.4", GOOS: "solaris", Title: "Oracle Solaris before 11.4",
		Specs: []Spec{
			{Option: Interval, Symbol: "TCP_KEEPALIVE_ABORT_THRESHOLD", Level: bsdTCP, Number: sysvTCPKeepAliveAbortThreshold,
				Unit: time.Millisecond, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Yes, Call: "setsockopt of interval*count",
				Needs: Count, NeedsWhy: solarisBefore114Pair},
			{Option: Count, Symbol: "TCP_KEEPALIVE_ABORT_THRESHOLD", Level: bsdTCP, Number: sysvTCPKeepAliveAbortThreshold,
				Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Yes, Call: "setsockopt of interval*count",
				Needs: Interval, NeedsWhy: solarisBefore114Pair},
			sysvAbortThreshold(),
			{Option: Idle, Symbol: "TCP_KEEPALIVE_THRESHOLD", Level: bsdTCP, Number: sysvTCPKeepAliveThreshold,
				Unit: time.Millisecond, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Yes},
			sysvKeepAlive(Unknown),
		},
		ProbingTime:    sysvAbort,
		ListenerSource: solarisListenerSource,
		Notes: []string{
			"Only the product interval*count can be set; probes back off exponentially within it, and neither factor can be read back.",
			"Oracle documents 10 s to 10 days for the system-wide idle time (tcp_keepalive_interval) and 0 to 8 min for the abort interval; whether the socket options have the same limits is not documented.",
		},
		Source: "Go's net/tcpsockopt_solaris.go, Solaris tunable parameters manual; compiled, not run",
	}
}
