// Package ss formats timers as ss of iproute2 does.
package ss

import (
	"strconv"
	"time"
)

// AppendTimer appends a timer as ss -o prints it: its name, the time until it fires, and
// the number of unanswered probes or retransmissions. If no timer runs ("off") it appends
// nothing. For an unknown timer ("") it appends a text that ss never prints.
//
// Before selects the style of iproute2 6.10 and before, where 9.373ms means
// 9.373 s.
func AppendTimer(b []byte, name string, left time.Duration, unanswered int, before bool) []byte {
	switch name {
	case "off":
		return b
	case "":
		return append(b, "timer:(unknown)"...)
	case "delack":
		if before {
			name = "unknown" // as ss prints a timer that it does not know
		}
	}
	b = append(append(append(b, "timer:("...), name...), ',')
	b = appendLeft(b, left.Milliseconds(), before)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(unanswered), 10)
	return append(b, ')')
}

// appendLeft appends the time, with fewer digits the longer it is, and nothing for 0.
func appendLeft(b []byte, left int64, before bool) []byte {
	minutes, seconds, ms := left/60_000, left/1000%60, left%1000
	if minutes > 0 {
		b = append(strconv.AppendInt(b, minutes, 10), "min"...)
		ms = 0
		if minutes > 9 {
			return b
		}
	}
	if seconds > 9 {
		ms = 0
	}
	if seconds > 0 {
		b = strconv.AppendInt(b, seconds, 10)
		if ms == 0 {
			return append(b, "sec"...)
		}
		b = append(b, '.')
	}
	if ms == 0 {
		return b
	}
	b = append(b, '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10))
	if seconds > 0 && !before {
		return append(b, "sec"...)
	}
	return append(b, "ms"...)
}
