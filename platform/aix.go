// The content of this file is compiled on every system.

package platform

import "time"

// AIX: /usr/include/netinet/tcp.h, as x/sys carries it.
const (
	aixTCPKeepIdle  = 0x11
	aixTCPKeepIntvl = 0x12
	aixTCPKeepCnt   = 0x13
)

func aix() *Table {
	return &Table{
		Name: "aix", GOOS: "aix", Title: "AIX",
		Specs: []Spec{
			{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: bsdTCP, Number: aixTCPKeepIntvl,
				Unit: time.Second, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Unknown},
			{Option: Count, Symbol: "TCP_KEEPCNT", Level: bsdTCP, Number: aixTCPKeepCnt,
				Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Unknown},
			{Option: KeepAlive, Symbol: "SO_KEEPALIVE", Level: bsdSolSocket, Number: bsdSoKeepAlive,
				Min: 0, Max: 1, Zero: off, Inherited: Unknown, Readable: Yes},
			{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: bsdTCP, Number: aixTCPKeepIdle,
				Unit: time.Second, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Unknown},
		},
		Absent:         map[Option]string{UserTimeout: "AIX has no limit on unacknowledged data per socket"},
		ListenerSource: "the source is closed",
		Notes: []string{
			"Go's net package treats the options as seconds, although the system-wide defaults (no -o tcp_keepidle, tcp_keepintvl) are half-seconds; the unit, the limits and the inheritance are not verified.",
		},
		Source: "numbers from x/sys, unit from Go's net package; compiled, not run",
	}
}
