package platform

import (
	"fmt"
	"strconv"
)

// A Step is one system call of a [Plan].
type Step struct {
	Form    Form
	Carries OptionSet // the options that this call sets
	Option  Option    // the first of them
	Symbol  string    // the C symbol
	Level   int       // setsockopt's level; 0 for KeepAliveVals
	Number  int       // setsockopt's option number; 0 for KeepAliveVals
	Value   int       // in kernel units
	Vals    [3]uint32 // KeepAliveVals only: on/off, idle and interval in milliseconds

	readable Answer
	passing  bool // undone by a later step, so there is nothing to read back
}

// String writes the call as "TCP_KEEPIDLE=60".
func (s Step) String() string { return s.Symbol + "=" + s.valueText() }

func (s *Step) valueText() string {
	if s.Form == KeepAliveVals {
		return fmt.Sprintf("{%d,%d,%d}", s.Vals[0], s.Vals[1], s.Vals[2])
	}
	return strconv.Itoa(s.Value)
}

// A Plan is the system calls that make a socket what a [Request] asks for, in
// the order that the platform needs. It is a plain value; copying it is cheap
// and allocates nothing.
type Plan struct {
	steps [optionCount + 1]Step
	n     int
}

// Steps returns the calls in order.
func (p *Plan) Steps() []Step { return p.steps[:p.n] }

func (p *Plan) add(s Step) {
	p.steps[p.n] = s
	p.n++
}

// Only returns the part of the plan that sets one of the given options.
func (p *Plan) Only(options OptionSet) Plan {
	var part Plan
	for _, s := range p.Steps() {
		if s.Carries&options != 0 {
			part.add(s)
		}
	}
	return part
}

// Carries returns all options that the plan sets.
func (p *Plan) Carries() OptionSet {
	var set OptionSet
	for _, s := range p.Steps() {
		set |= s.Carries
	}
	return set
}

// Plan turns a request into this platform's system calls, or tells every
// reason why it cannot. It makes no call and runs on every platform for every
// other.
//
// SO_KEEPALIVE is part of every plan. When it is to be off it comes first, so
// that no step re-arms a timer that is about to go; otherwise the order is that
// of [Table.Specs], behind SO_KEEPALIVE=0 where [Table.TimingWhileOff] asks for
// it.
func (t *Table) Plan(r Request) (Plan, Faults) {
	var p Plan
	if faults := t.Check(r); len(faults) > 0 {
		return p, faults
	}
	var done OptionSet
	switch {
	case r.Disabled:
		p.add(t.step(t.Spec(KeepAlive), &r))
		done = SetOf(KeepAlive)
	case t.TimingWhileOff && (r.asks(Idle) || r.asks(Interval) || r.asks(Count)):
		off := t.step(t.Spec(KeepAlive), &Request{Disabled: true})
		off.passing = true
		p.add(off)
	}
	for i := range t.Specs {
		s := &t.Specs[i]
		if r.asks(s.Option) && !done.Has(s.Option) {
			step := t.step(s, &r)
			p.add(step)
			done |= step.Carries
		}
	}
	return p, nil
}

func (t *Table) step(s *Spec, r *Request) Step {
	step := Step{
		Form: s.Form, Carries: SetOf(s.Option), Option: s.Option,
		Symbol: s.Symbol, Level: s.Level, Number: s.Number, readable: s.Readable,
	}
	v := r.value(s.Option)
	switch {
	case s.Form == Product:
		step.Carries = SetOf(Interval, Count)
		step.Value = int(t.Spec(Interval).Unit.toKernel(int64(r.Interval))) * r.Count
	case s.Form == KeepAliveVals:
		step.Carries = SetOf(Idle, Interval)
		step.Vals = [3]uint32{1, uint32(s.Unit.toKernel(int64(r.Idle))), uint32(s.Unit.toKernel(int64(r.Interval)))}
		if r.Disabled {
			step.Vals[0] = 0
		}
	case v < 0: // NoUserTimeout: Check made sure that 0 means off
	default:
		step.Value = int(s.Unit.toKernel(v))
	}
	return step
}
