package platform

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// A FaultKind says what is wrong with a requested value.
type FaultKind uint8

const (
	Negative    FaultKind = iota // below zero (0 leaves an option alone)
	TooSmall                     // below the platform's minimum
	TooLarge                     // above the platform's maximum
	Unsupported                  // the platform has no such option
	Incomplete                   // the platform takes it only together with another option
)

// A Fault is one reason why a platform cannot honour a [Request].
//
// errors.Is(fault, [errors.ErrUnsupported]) is true for Unsupported and
// Incomplete faults.
type Fault struct {
	Kind     FaultKind
	Platform string // the table's name
	Option   Option
	Symbol   string // the C symbol, "" where the platform lacks the option
	Value    int64  // what was asked: nanoseconds, or a number for a count
	Min, Max int64  // what the platform takes, in the same measure, or UnknownLimit
	Missing  Option // the other option, for Incomplete
	Why      string // what the platform does instead
}

func (t *Table) newFault(kind FaultKind, o Option, v int64) *Fault {
	f := &Fault{Kind: kind, Platform: t.Name, Option: o, Value: v, Min: UnknownLimit, Max: UnknownLimit}
	if s := t.Spec(o); s != nil {
		f.Symbol = s.Symbol
		f.Min, f.Max = s.limits()
		if f.Max == UnknownLimit && kind == TooLarge {
			f.Max = s.Unit.fromKernel(math.MaxInt32)
			f.Why = "what a C int holds"
		}
	}
	return f
}

// Error names the field, its value and the platform's limit.
func (f *Fault) Error() string {
	asked := f.Option.String() + "=" + f.Option.Format(f.Value)
	if f.Option == UserTimeout && time.Duration(f.Value) == NoUserTimeout {
		asked = f.Option.String() + "=off"
	}
	switch f.Kind {
	case Negative:
		if f.Option == UserTimeout {
			return asked + " is negative: 0 leaves it alone, NoUserTimeout (-1ns, \"off\" in text) switches it off"
		}
		return asked + " is negative: 0 leaves it alone"
	case Unsupported:
		return fmt.Sprintf("%s is not supported on %s: %s", asked, f.Platform, f.Why)
	case Incomplete:
		return fmt.Sprintf("%s without %s is not possible on %s: %s; set both", asked, f.Missing, f.Platform, f.Why)
	}
	size := "small"
	if f.Kind == TooLarge {
		size = "large"
	}
	msg := fmt.Sprintf("%s is too %s: %s on %s takes %s", asked, size, f.Symbol, f.Platform, f.limits())
	if f.Why != "" {
		msg += " (" + f.Why + ")"
	}
	return msg
}

func (f *Fault) limits() string {
	switch {
	case f.Max == UnknownLimit:
		return "at least " + f.Option.Format(f.Min)
	case f.Min == UnknownLimit:
		return "at most " + f.Option.Format(f.Max)
	}
	return f.Option.Format(f.Min) + " to " + f.Option.Format(f.Max)
}

// Is makes errors.Is(f, errors.ErrUnsupported) true for what the platform lacks.
func (f *Fault) Is(target error) bool {
	return target == errors.ErrUnsupported && (f.Kind == Unsupported || f.Kind == Incomplete)
}

// Faults are all the reasons why a platform cannot honour a [Request]. An empty
// one is no error: return it as an error only through [Faults.Err].
type Faults []*Fault

// Err returns the faults as an error, nil if there are none.
func (fs Faults) Err() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

// Error joins the faults in one line.
func (fs Faults) Error() string { return joinText(fs) }

// Unwrap gives errors.Is and errors.As each fault.
func (fs Faults) Unwrap() []error {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errs
}

func joinText[E error](errs []E) string {
	var b strings.Builder
	for i, err := range errs {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	return b.String()
}
