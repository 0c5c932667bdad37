package platform

import (
	"strings"
	"time"
)

// Settings is what a kernel holds for one socket, as read by getsockopt. A
// field counts only if Known has its option: what this platform cannot read is
// unknown, never 0.
//
// A field that nobody set on the socket shows the system's default, because
// that is what getsockopt answers; no kernel tells the two apart.
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

func (s *Settings) set(o Option, v int64) {
	s.Known |= SetOf(o)
	switch o {
	case KeepAlive:
		s.Enabled = v != 0
	case Idle:
		s.Idle = time.Duration(v)
	case Interval:
		s.Interval = time.Duration(v)
	case Count:
		s.Count = int(v)
	case UserTimeout:
		s.UserTimeout = time.Duration(v)
	}
}

// String writes "on idle=60s interval=10s count=3 user-timeout=off". What is
// not known reads "unknown".
func (s Settings) String() string {
	var b strings.Builder
	for i, o := range Options() {
		if i > 0 {
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

// Read returns what the kernel holds for the socket fd. The error tells what
// failed, each an [*OptionError]; an option that this platform or this kind of
// socket does not have is no error, its field is just not Known; but for the user
// timeout of Multipath TCP, which is known to be off.
func (t *Table) Read(k Kernel, fd uintptr) (Settings, error) {
	var got Settings
	var errs []error
	for i := range t.Specs {
		s := &t.Specs[i]
		if s.Form != Plain || s.Readable == No {
			continue
		}
		n, err := k.Get(fd, s.Level, s.Number)
		switch {
		case err != nil && noSuchOption(err):
			if s.Option == UserTimeout && isMultipath(k, fd) {
				got.set(UserTimeout, 0) // no Multipath TCP socket has one
			}
		case err != nil:
			errs = append(errs, &OptionError{Call: "getsockopt", Option: s.Option, Symbol: s.Symbol, Err: err})
		case s.meansNothing(n):
		default:
			got.set(s.Option, s.Unit.fromKernel(int64(n)))
		}
	}
	return got, join(errs)
}

// isMultipath is asked where an option is missing: a question more, in the rare case.
func isMultipath(k Kernel, fd uintptr) bool {
	kind, err := kindOf(k, fd)
	return err == nil && kind == MultipathTCP
}

// meansNothing reports whether n is no value of the option: illumos answers 0
// for an interval and a count never set, while probes back off exponentially;
// and a user timeout of 0 is off only where the kernel says so.
func (s *Spec) meansNothing(n int) bool {
	switch s.Option {
	case KeepAlive:
		return false
	case UserTimeout:
		return n < 0 || n == 0 && s.Zero != ZeroOff
	}
	return n <= 0
}

// Effect returns what a socket that holds before will hold once the plan for r
// was applied, with r's values rounded as the kernel counts them. It makes no
// call; r must be one that [Table.Check] accepts.
func (t *Table) Effect(r Request, before Settings) Settings {
	after := before
	for i := range t.Specs {
		s := &t.Specs[i]
		switch v := r.value(s.Option); {
		case !r.asks(s.Option):
		case v < 0:
			after.set(s.Option, 0)
		default:
			after.set(s.Option, s.Unit.fromKernel(s.Unit.toKernel(v)))
		}
	}
	return after
}
