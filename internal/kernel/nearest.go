package kernel

import (
	"errors"
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// Nearest returns the request closest to r that the platform accepts, and what
// changed: a value out of range is set to the limit, a negative value or an
// option that the platform lacks is left out, and a missing half of a pair is
// filled in. The error wraps [errors.ErrUnsupported] where the platform has no
// keepalive at all.
func (t *Rules) Nearest(r Request) (Request, []platform.Change, error) {
	if t.Spec(platform.KeepAlive) == nil {
		return Request{}, nil, fmt.Errorf("%s has no TCP keepalive options: %w", t.Title, errors.ErrUnsupported)
	}
	was := r
	why := map[platform.Option]string{}
	// Filling in a pair can move a product out of range, so the check is
	// repeated until there is no fault; every round settles at least one option.
	for range 2 * optionCount {
		faults := t.check(&r)
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
	var changes []platform.Change
	for _, o := range Options() {
		if was.value(o) != r.value(o) {
			changes = append(changes, platform.Change{Option: o, From: was.value(o), To: r.value(o), Why: why[o]})
		}
	}
	return r, changes, nil
}

// mend returns the option to change, and its new value, to remove a fault.
func (f *fault) mend(t *Rules, r *Request) (platform.Option, int64) {
	switch f.kind {
	case tooSmall:
		return f.Option, f.Min
	case tooLarge:
		return f.Option, f.Max
	case incomplete:
		return f.Missing, t.fill(f.Missing, r)
	}
	return f.Option, 0 // negative, unsupported
}

// fill computes the missing half of a pair as the platform itself would.
func (t *Rules) fill(missing platform.Option, r *Request) int64 {
	s := t.Spec(missing)
	switch total := int64(t.ProbingTime); {
	case total == 0:
		return fromKernel(s.Unit, s.Default)
	case missing == platform.Count:
		unit := t.Spec(platform.Interval).Unit
		return max(1, total/max(1, fromKernel(unit, toKernel(unit, int64(r.Interval)))))
	default:
		v := max(int64(time.Second), total/max(1, int64(r.Count)))
		if _, most := limits(s); most != platform.UnknownLimit {
			v = min(v, most)
		}
		return v
	}
}
