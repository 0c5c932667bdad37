package inspect

import (
	"fmt"
	"strconv"
	"time"
)

// A TimerKind is which of a socket's timers fires next. Linux shows one: a
// keepalive timer that runs is hidden while a retransmission or a window probe
// is due.
type TimerKind uint8

const (
	TimerUnknown   TimerKind = iota // see [Report.Unknown]
	TimerOff                        // none runs
	TimerOn                         // retransmission, of data or of a SYN, or a loss probe
	TimerKeepAlive                  // keepalive, or the end of FIN-WAIT-2 of a socket that nobody has open
	TimerTimeWait                   // the end of TIME-WAIT
	TimerPersist                    // the next probe of a peer whose window is zero
	TimerDelack                     // a delayed acknowledgement (Linux 7.1)
)

var timerNames = [...]string{"unknown", "off", "on", "keepalive", "timewait", "persist", "delack"}

// String returns the name that ss prints, or "unknown".
func (k TimerKind) String() string {
	if int(k) < len(timerNames) {
		return timerNames[k]
	}
	return fmt.Sprintf("TimerKind(%d)", uint8(k))
}

// timerKind is the kind for the kernel's number (inet_sk_diag_fill in
// net/ipv4/inet_diag.c).
func timerKind(n uint8) TimerKind {
	if n > uint8(TimerDelack-TimerOff) {
		return TimerUnknown
	}
	return TimerOff + TimerKind(n)
}

// A Timer is the kernel's live timer of one socket. Its zero value is unknown.
type Timer struct {
	Kind TimerKind
	// Left is the time until the kernel looks what is to be done, in
	// milliseconds. Traffic does not push a keepalive timer; see
	// [Report.NextProbe].
	Left time.Duration
	// Unanswered counts retransmissions where Kind is TimerOn, otherwise
	// keepalive or window probes without an answer. The kernel counts to 255.
	Unanswered int
}

// A Style is a way to write a timer down.
type Style uint8

const (
	SS      Style = iota // ss -o of iproute2 6.11 and later
	OldSS                // ss -o of iproute2 6.10 and before, where 9.373ms means 9.373 s
	Netstat              // netstat -o of net-tools
)

// String returns exactly what a current ss -tno prints for the timer:
// "timer:(keepalive,1min39sec,0)", nothing where none runs, and
// "timer:(unknown)", which ss never prints, where it is not known.
func (t Timer) String() string { return string(t.Append(nil, SS)) }

// Append appends the timer in the given style to b.
func (t Timer) Append(b []byte, style Style) []byte {
	if style == Netstat {
		return t.appendNetstat(b)
	}
	switch t.Kind {
	case TimerOff:
		return b
	case TimerUnknown:
		return append(b, "timer:(unknown)"...)
	}
	b = append(b, "timer:("...)
	if t.Kind == TimerDelack && style == OldSS {
		b = append(b, "unknown"...) // what it makes of a kind it does not know
	} else {
		b = append(b, t.Kind.String()...)
	}
	b = append(b, ',')
	b = t.appendLeft(b, style)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(t.Unanswered), 10)
	return append(b, ')')
}

// appendLeft writes the time as ss does: with ever fewer digits the longer it
// is, and nothing at all for 0.
func (t Timer) appendLeft(b []byte, style Style) []byte {
	left := t.Left.Milliseconds()
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
	if seconds > 0 && style == SS {
		return append(b, "sec"...)
	}
	return append(b, "ms"...)
}

// appendNetstat writes "keepalive (7185.02/0/0)": seconds, retransmissions,
// probes.
func (t Timer) appendNetstat(b []byte) []byte {
	retransmissions, probes := 0, t.Unanswered
	switch t.Kind {
	case TimerUnknown:
		return append(b, "unknown"...)
	case TimerOn:
		retransmissions, probes = t.Unanswered, 0
		b = append(b, "on"...)
	case TimerPersist:
		b = append(b, "probe"...)
	case TimerDelack:
		b = append(b, "unkn-5"...)
	default:
		b = append(b, t.Kind.String()...)
	}
	b = append(b, " ("...)
	b = strconv.AppendFloat(b, float64(t.Left.Milliseconds()/10)/100, 'f', 2, 64)
	b = append(b, '/')
	b = strconv.AppendInt(b, int64(retransmissions), 10)
	b = append(b, '/')
	b = strconv.AppendInt(b, int64(probes), 10)
	return append(b, ')')
}
