package platform

import (
	"errors"
	"fmt"
	"time"
)

// A Change is one difference between a [Request] and what a platform accepts
// in its place.
type Change struct {
	Option   Option
	From, To int64 // nanoseconds or a number; 0 is unset
	Why      string
}

// String writes the change as "idle=36000s -> 32767s: ...".
func (c Change) String() string {
	return fmt.Sprintf("%s=%s -> %s: %s", c.Option, formatOrUnset(c.Option, c.From), formatOrUnset(c.Option, c.To), c.Why)
}

func formatOrUnset(o Option, v int64) string {
	switch {
	case v == 0:
		return "unset"
	case o == UserTimeout && time.Duration(v) == NoUserTimeout:
		return "off"
	}
	return o.Format(v)
}

// Nearest returns the request closest to r that the platform accepts, and what
// changed: a value out of range moves to the limit, an option that the platform
// lacks is left out, a negative one too, and a missing half of a pair is filled
// in. The error wraps [errors.ErrUnsupported] where the platform has no
// keepalive at all.
func (t *Table) Nearest(r Request) (Request, []Change, error) {
	if t.Spec(KeepAlive) == nil {
		return Request{}, nil, fmt.Errorf("%s has no TCP keepalive options: %w", t.Title, errors.ErrUnsupported)
	}
	was := r
	why := map[Option]string{}
	// Filling in a pair can bring a product out of range, so look again until
	// nothing is left to mend; every turn settles at least one option.
	for range 2 * optionCount {
		faults := t.Check(r)
		if len(faults) == 0 {
			break
		}
		for _, f := range faults {
			o, v := f.mend(t, &r)
			r.set(o, v)
			if why[o] == "" {
				why[o] = f.Error()
			}
		}
	}
	var changes []Change
	for _, o := range Options() {
		if was.value(o) != r.value(o) {
			changes = append(changes, Change{Option: o, From: was.value(o), To: r.value(o), Why: why[o]})
		}
	}
	return r, changes, nil
}

// mend returns the option to change, and its new value, to get rid of a fault.
func (f *Fault) mend(t *Table, r *Request) (Option, int64) {
	switch f.Kind {
	case TooSmall:
		return f.Option, f.Min
	case TooLarge:
		return f.Option, f.Max
	case Incomplete:
		return f.Missing, t.fill(f.Option, f.Missing, r)
	}
	return f.Option, 0 // Negative, Unsupported
}

// fill computes the missing half of a pair as the platform itself would.
func (t *Table) fill(have, missing Option, r *Request) int64 {
	var p *Pair
	for i := range t.Pairs {
		if q := &t.Pairs[i]; q.A == have && q.B == missing || q.A == missing && q.B == have {
			p = q
		}
	}
	if p.Total == 0 {
		if missing == p.A {
			return p.DefaultA
		}
		return p.DefaultB
	}
	if missing == Count {
		unit := t.Spec(Interval).Unit
		return max(1, int64(p.Total)/max(1, unit.fromKernel(unit.toKernel(int64(r.Interval)))))
	}
	v := max(int64(time.Second), int64(p.Total)/max(1, int64(r.Count)))
	if _, most := t.Spec(Interval).limits(); most != UnknownLimit {
		v = min(v, most)
	}
	return v
}
