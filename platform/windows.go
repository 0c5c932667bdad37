// The content of this file is compiled on every system.

package platform

import "time"

// Windows: ws2ipdef.h, mstcpip.h.
const (
	windowsSolSocket    = 0xffff
	windowsSoKeepAlive  = 8
	windowsTCP          = 6
	windowsTCPKeepIdle  = 3
	windowsTCPMaxRT     = 5
	windowsTCPKeepCnt   = 16
	windowsTCPKeepIntvl = 17
)

func windowsKeepAlive() Spec {
	return Spec{Option: KeepAlive, Symbol: "SO_KEEPALIVE", Level: windowsSolSocket, Number: windowsSoKeepAlive,
		Min: 0, Max: 1, Zero: off, Inherited: Unknown, Readable: Yes}
}

func windowsMaxRT() Spec {
	return Spec{Option: UserTimeout, Symbol: "TCP_MAXRT", Level: windowsTCP, Number: windowsTCPMaxRT,
		Unit: time.Second, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Unknown}
}

const windowsListenerSource = "the source is closed, and Microsoft does not document it"

const windowsMaxRTNote = "TCP_MAXRT limits retransmission, in seconds. Wine does not have it, so it was never run, and what 0 means was not verified: switching it off is refused. TCP_MAXRTMS, the same in milliseconds, is not used."

func windows() *Table {
	return &Table{
		Name: "windows", GOOS: "windows", Title: "Windows 10 version 1709 and later",
		Specs: []Spec{
			{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: windowsTCP, Number: windowsTCPKeepIntvl,
				Unit: time.Second, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Yes},
			{Option: Count, Symbol: "TCP_KEEPCNT", Level: windowsTCP, Number: windowsTCPKeepCnt,
				Min: UnknownLimit, Max: 255, Inherited: Unknown, Readable: Yes},
			windowsMaxRT(),
			windowsKeepAlive(),
			{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: windowsTCP, Number: windowsTCPKeepIdle,
				Unit: time.Second, Min: UnknownLimit, Max: UnknownLimit, Inherited: Unknown, Readable: Yes},
		},
		ListenerSource: windowsListenerSource,
		Notes: []string{
			"Whether accepted sockets inherit the options is not documented, nor what an option does on a listening socket: all are set after accept.",
			windowsMaxRTNote,
		},
		Source: "Microsoft's IPPROTO_TCP socket options page, x/sys; numbers and units run under Wine 10, limits and defaults not verified",
	}
}

const windowsPair = "SIO_KEEPALIVE_VALS sets both at once, and the value in force cannot be read"

func windowsBefore1709() *Table {
	return &Table{
		Name: "windows-before-1709", GOOS: "windows", Title: "Windows before 10 version 1709",
		Specs: []Spec{
			{Option: Idle, Symbol: "SIO_KEEPALIVE_VALS", Unit: time.Millisecond, Min: UnknownLimit, Max: 1<<32 - 1,
				Inherited: Unknown, Readable: No, Call: "ioctl SIO_KEEPALIVE_VALS",
				Needs: Interval, NeedsWhy: windowsPair, Default: 2 * 60 * 60 * 1000},
			{Option: Interval, Symbol: "SIO_KEEPALIVE_VALS", Unit: time.Millisecond, Min: UnknownLimit, Max: 1<<32 - 1,
				Inherited: Unknown, Readable: No, Call: "ioctl SIO_KEEPALIVE_VALS",
				Needs: Idle, NeedsWhy: windowsPair, Default: 1000},
			windowsMaxRT(),
			windowsKeepAlive(),
		},
		Absent:         map[Option]string{Count: "Windows before 10 version 1709 fixes it, usually at 10 probes"},
		ListenerSource: windowsListenerSource,
		Notes: []string{
			"Idle and interval are set in one ioctl and cannot be read back, so nothing can confirm them.",
			windowsMaxRTNote,
		},
		Source: "Microsoft's SIO_KEEPALIVE_VALS page, Go's net/tcpsockopt_windows.go; run under Wine 8",
	}
}
