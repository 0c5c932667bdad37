package platform

import (
	"strings"
	"time"
)

// Settings are the options of one socket, as read by getsockopt. A field is
// valid only if Known has its option: a value that this platform cannot read is
// unknown, never 0.
//
// An option that was not set on the socket shows the system's default, because
// getsockopt returns that; no kernel distinguishes the two.
type Settings struct {
	Known       OptionSet
	Enabled     bool // SO_KEEPALIVE
	Idle        time.Duration
	Interval    time.Duration
	Count       int
	UserTimeout time.Duration // 0 is off
}

// Lookup returns an option's value (nanoseconds or a number; 1 or 0 for
// KeepAlive) and whether it is known.
func (s Settings) Lookup(o Option) (value int64, known bool) {
	switch o {
	case KeepAlive:
		if s.Enabled {
			value = 1
		}
	case Idle:
		value = int64(s.Idle)
	case Interval:
		value = int64(s.Interval)
	case Count:
		value = int64(s.Count)
	case UserTimeout:
		value = int64(s.UserTimeout)
	}
	return value, s.Known.Has(o)
}

// String returns "on idle=60s interval=10s count=3 user-timeout=off". A value
// that is not known is shown as "unknown".
func (s Settings) String() string {
	var b strings.Builder
	for o := range Option(optionCount) {
		if o > 0 {
			b.WriteString(" " + o.String() + "=")
		}
		v, known := s.Lookup(o)
		switch {
		case !known && o == KeepAlive:
			b.WriteString("keepalive=unknown")
		case !known:
			b.WriteString("unknown")
		case o == UserTimeout && v == 0:
			b.WriteString("off")
		default:
			b.WriteString(o.Format(v))
		}
	}
	return b.String()
}
