package platform

import (
	"fmt"
	"math"
	"time"
)

// A Request says what keepalive a socket is to have. A zero field is unset:
// the option is left as it is.
type Request struct {
	Disabled    bool          // keepalive off; all other requests switch it on
	Idle        time.Duration // silence before the first probe
	Interval    time.Duration // between unanswered probes
	Count       int           // unanswered probes before the peer is given up
	UserTimeout time.Duration // how long data may stay unacknowledged, or NoUserTimeout
}

// NoUserTimeout as a Request's UserTimeout switches the user timeout off.
const NoUserTimeout time.Duration = -1

// value returns the field for o as nanoseconds or a number.
func (r *Request) value(o Option) int64 {
	switch o {
	case KeepAlive:
		if r.Disabled {
			return 0
		}
		return 1
	case Idle:
		return int64(r.Idle)
	case Interval:
		return int64(r.Interval)
	case Count:
		return int64(r.Count)
	}
	return int64(r.UserTimeout)
}

func (r *Request) set(o Option, v int64) {
	switch o {
	case Idle:
		r.Idle = time.Duration(v)
	case Interval:
		r.Interval = time.Duration(v)
	case Count:
		r.Count = int(v)
	case UserTimeout:
		r.UserTimeout = time.Duration(v)
	}
}

// asks reports whether the request sets o at all.
func (r *Request) asks(o Option) bool { return o == KeepAlive || r.value(o) != 0 }

// Check returns every reason why the platform cannot honour the request, nil
// if it can. It is the validation half of [Table.Plan].
func (t *Table) Check(r Request) Faults {
	var faults Faults
	for _, o := range [...]Option{KeepAlive, Idle, Interval, Count, UserTimeout} {
		if !r.asks(o) {
			continue
		}
		if f := t.fault(&r, o); f != nil {
			faults = append(faults, f)
		}
	}
	for i := range t.Pairs {
		p := &t.Pairs[i]
		have, missing := p.A, p.B
		if r.value(have) == 0 {
			have, missing = missing, have
		}
		if r.value(have) > 0 && r.value(missing) == 0 {
			f := t.newFault(Incomplete, have, r.value(have))
			f.Missing, f.Why = missing, p.Why
			faults = append(faults, f)
		}
	}
	return faults
}

// fault checks one option on its own.
func (t *Table) fault(r *Request, o Option) *Fault {
	v := r.value(o)
	s := t.Spec(o)
	switch {
	case v < 0 && !(o == UserTimeout && time.Duration(v) == NoUserTimeout):
		return t.newFault(Negative, o, v)
	case s == nil:
		if v < 0 {
			return nil // no user timeout is just what a platform without one has
		}
		f := t.newFault(Unsupported, o, v)
		f.Why = t.absence(o)
		return f
	case v < 0:
		if s.Zero != ZeroOff {
			f := t.newFault(Unsupported, o, v)
			f.Why = "what switches " + s.Symbol + " off is not known"
			return f
		}
		return nil
	}
	if o == KeepAlive {
		return nil
	}
	n := s.Unit.toKernel(v)
	if s.Form == Product {
		return t.productFault(r, o, s)
	}
	switch {
	case s.Min != UnknownLimit && n < s.Min:
		return t.newFault(TooSmall, o, v)
	case s.Max != UnknownLimit && n > s.Max, s.Max == UnknownLimit && n > math.MaxInt32:
		return t.newFault(TooLarge, o, v)
	}
	return nil
}

// productFault checks a factor on its own and, when asked about the interval,
// the product.
func (t *Table) productFault(r *Request, o Option, s *Spec) *Fault {
	v := r.value(o)
	most := int64(math.MaxInt32)
	if o == Interval && r.Count > 0 && int64(r.Count) <= most {
		most /= int64(r.Count)
	}
	if s.Unit.toKernel(v) <= most {
		return nil
	}
	f := t.newFault(TooLarge, o, v)
	if most < math.MaxInt32 {
		f.Max = s.Unit.fromKernel(most)
		f.Why = fmt.Sprintf("with count=%d", r.Count)
	}
	return f
}
