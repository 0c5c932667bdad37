package kernel

import (
	"fmt"
	"strconv"

	"github.com/tcpkeepalive/keepalive/platform"
)

// A Step is one system call of a [Plan].
type Step struct {
	Carries platform.OptionSet // the options that this call sets
	Option  platform.Option    // the first option in Carries
	Symbol  string             // the C symbol
	Level   int                // setsockopt's level; 0 for an ioctl
	Number  int                // setsockopt's option number; 0 for an ioctl
	Value   int                // in kernel units
	Vals    [3]uint32          // for an ioctl only: on/off, idle and interval in milliseconds

	ioctl    bool // SIO_KEEPALIVE_VALS, otherwise setsockopt
	readable platform.Answer
	passing  bool // a later step undoes it, so it is not read back
}

// String returns the call as "TCP_KEEPIDLE=60".
func (s Step) String() string { return s.Symbol + "=" + s.valueText() }

func (s *Step) valueText() string {
	if s.ioctl {
		return fmt.Sprintf("{%d,%d,%d}", s.Vals[0], s.Vals[1], s.Vals[2])
	}
	return strconv.Itoa(s.Value)
}

// A Plan is the list of system calls that set the options of a [Request], in the
// order that the platform needs. It is a plain value; copying it is cheap and
// does not allocate.
type Plan struct {
	steps [optionCount + 1]Step
	n     int
}

// Steps returns the calls in order.
func (p *Plan) Steps() []Step { return p.steps[:p.n] }

// next returns the room for another step.
func (p *Plan) next() *Step {
	p.n++
	return &p.steps[p.n-1]
}

// Only returns the steps that set one of the given options.
func (p *Plan) Only(options platform.OptionSet) Plan {
	var part Plan
	for i := range p.Steps() {
		if s := &p.steps[i]; s.Carries&options != 0 {
			*part.next() = *s
		}
	}
	return part
}

// Carries returns all options that the plan sets.
func (p *Plan) Carries() platform.OptionSet {
	var set platform.OptionSet
	for i := range p.Steps() {
		set |= p.steps[i].Carries
	}
	return set
}

// Plan translates a request into this platform's system calls, or returns every
// reason why that is impossible. It makes no system call and runs on any
// platform for any other.
//
// SO_KEEPALIVE is part of every plan. If keepalive is switched off, that is the
// first step, so that no other step re-arms the timer. Otherwise the order is
// that of [platform.Table].Specs, after SO_KEEPALIVE=0 if TimingWhileOff is set.
func (t *Rules) Plan(r Request) (p Plan, faults platform.Faults) {
	if faults = t.Check(r); len(faults) == 0 {
		p = t.plan(&r)
	}
	return p, faults
}

func (t *Rules) plan(r *Request) (p Plan) {
	var done platform.OptionSet
	switch {
	case r.Disabled:
		t.step(p.next(), t.Spec(platform.KeepAlive), r)
		done = SetOf(platform.KeepAlive)
	case t.TimingWhileOff && (r.asks(platform.Idle) || r.asks(platform.Interval) || r.asks(platform.Count)):
		off := p.next()
		t.step(off, t.Spec(platform.KeepAlive), &Request{Disabled: true})
		off.passing = true
	}
	for i := range t.Specs {
		s := &t.Specs[i]
		if r.asks(s.Option) && !done.Has(s.Option) {
			step := p.next()
			t.step(step, s, r)
			done |= step.Carries
		}
	}
	return p
}

// step fills in the call that sets the option of s.
func (t *Rules) step(step *Step, s *platform.Spec, r *Request) {
	step.Carries, step.Option, step.Symbol = 1<<s.Option, s.Option, s.Symbol
	step.Level, step.Number, step.readable = s.Level, s.Number, s.Readable
	step.ioctl = isKeepAliveVals(s)
	v := r.value(s.Option)
	switch {
	case isProduct(s):
		step.Carries = SetOf(platform.Interval, platform.Count)
		step.Value = int(toKernel(t.Spec(platform.Interval).Unit, int64(r.Interval))) * r.Count
	case step.ioctl:
		step.Carries = SetOf(platform.Idle, platform.Interval)
		step.Vals = [3]uint32{1, uint32(toKernel(s.Unit, int64(r.Idle))), uint32(toKernel(s.Unit, int64(r.Interval)))}
		if r.Disabled {
			step.Vals[0] = 0
		}
	case v < 0: // NoUserTimeout: Check made sure that 0 means off
	default:
		step.Value = int(toKernel(s.Unit, v))
	}
}
