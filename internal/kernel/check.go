package kernel

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// A fault is a [platform.Fault] with its kind, from which [Rules.Nearest]
// derives the change.
type fault struct {
	platform.Fault
	kind faultKind
}

type faultKind uint8

const (
	negative    faultKind = iota // below zero (0 leaves an option unchanged)
	tooSmall                     // below the platform's minimum
	tooLarge                     // above the platform's maximum
	unsupported                  // the platform has no such option
	incomplete                   // the platform takes it only together with another option
)

// Check returns every reason why the platform cannot honour the request, or nil
// if it can. [Rules.Plan] makes the same checks.
func (t *Rules) Check(r Request) platform.Faults {
	var faults platform.Faults
	for _, f := range t.check(&r) {
		faults = append(faults, &f.Fault)
	}
	return faults
}

func (t *Rules) check(r *Request) []*fault {
	var faults []*fault
	for _, o := range [...]platform.Option{platform.KeepAlive, platform.Idle, platform.Interval, platform.Count, platform.UserTimeout} {
		if !r.asks(o) {
			continue
		}
		if f := t.fault(r, o); f != nil {
			faults = append(faults, f)
		}
	}
	for i := range t.Specs {
		s := &t.Specs[i]
		if s.Needs == platform.KeepAlive || r.value(s.Option) <= 0 || r.value(s.Needs) != 0 {
			continue
		}
		f := t.newFault(incomplete, s.Option, r.value(s.Option))
		f.Missing = s.Needs
		f.Problem = fmt.Sprintf("without %s is not possible on %s: %s; set both", f.Missing, f.Platform, s.NeedsWhy)
		faults = append(faults, f)
	}
	return faults
}

// fault checks one option on its own.
func (t *Rules) fault(r *Request, o platform.Option) *fault {
	v := r.value(o)
	s := t.Spec(o)
	switch {
	case v < 0 && !(o == platform.UserTimeout && time.Duration(v) == NoUserTimeout):
		f := t.newFault(negative, o, v)
		f.Problem = "is negative: 0 leaves it alone"
		if o == platform.UserTimeout {
			f.Problem += `, NoUserTimeout (-1ns, "off" in text) switches it off`
		}
		return f
	case s == nil:
		if v < 0 {
			return nil // on a platform without user timeouts it is off
		}
		return t.unsupported(o, v, cmp.Or(t.Absent[o], "this platform has no such option"))
	case v < 0:
		if s.Zero != "off" {
			return t.unsupported(o, v, "what switches "+s.Symbol+" off is not known")
		}
		return nil
	}
	if o == platform.KeepAlive {
		return nil
	}
	n := toKernel(s.Unit, v)
	if isProduct(s) {
		return t.productFault(r, o, s)
	}
	switch {
	case s.Min != platform.UnknownLimit && n < s.Min:
		return t.newFault(tooSmall, o, v).outOfRange("small", "")
	case s.Max != platform.UnknownLimit && n > s.Max:
		return t.newFault(tooLarge, o, v).outOfRange("large", "")
	case s.Max == platform.UnknownLimit && n > math.MaxInt32:
		return t.beyondInt(o, v)
	}
	return nil
}

// productFault checks one factor and, if it is the interval, also the product.
func (t *Rules) productFault(r *Request, o platform.Option, s *platform.Spec) *fault {
	v := r.value(o)
	most := int64(math.MaxInt32)
	if o == platform.Interval && r.Count > 0 && int64(r.Count) <= most {
		most /= int64(r.Count)
	}
	if toKernel(s.Unit, v) <= most {
		return nil
	}
	if most == math.MaxInt32 {
		return t.beyondInt(o, v)
	}
	f := t.newFault(tooLarge, o, v)
	f.Max = fromKernel(s.Unit, most)
	return f.outOfRange("large", fmt.Sprintf(" (with count=%d)", r.Count))
}

func (t *Rules) newFault(kind faultKind, o platform.Option, v int64) *fault {
	f := &fault{kind: kind, Fault: platform.Fault{
		Platform: t.Name, Option: o, Value: v, Min: platform.UnknownLimit, Max: platform.UnknownLimit,
		Unsupported: kind == unsupported || kind == incomplete,
	}}
	if s := t.Spec(o); s != nil {
		f.Symbol = s.Symbol
		f.Min, f.Max = limits(s)
	}
	return f
}

func (t *Rules) unsupported(o platform.Option, v int64, why string) *fault {
	f := t.newFault(unsupported, o, v)
	f.Problem = fmt.Sprintf("is not supported on %s: %s", t.Name, why)
	return f
}

// beyondInt returns the fault of a value that does not fit setsockopt's int.
func (t *Rules) beyondInt(o platform.Option, v int64) *fault {
	f := t.newFault(tooLarge, o, v)
	f.Max = fromKernel(t.Spec(o).Unit, math.MaxInt32)
	return f.outOfRange("large", " (what a C int holds)")
}

func (f *fault) outOfRange(size, why string) *fault {
	takes := f.Option.Format(f.Min) + " to " + f.Option.Format(f.Max)
	switch {
	case f.Max == platform.UnknownLimit:
		takes = "at least " + f.Option.Format(f.Min)
	case f.Min == platform.UnknownLimit:
		takes = "at most " + f.Option.Format(f.Max)
	}
	f.Problem = fmt.Sprintf("is too %s: %s on %s takes %s%s", size, f.Symbol, f.Platform, takes, why)
	return f
}
