package kernel

import (
	"fmt"
	"math"

	"github.com/tcpkeepalive/keepalive/platform"
)

// Comparison returns the plan with which [Plan.Verify] compares a socket with r; it must
// not be applied. It differs from [Rules.Plan] in two ways. A value that setsockopt
// refuses is compared nevertheless, because a socket may hold it: the sysctl
// net.ipv4.tcp_keepalive_time accepts larger values than TCP_KEEPIDLE. And an option that
// cannot be read back is a fault, or an error of Verify, whereas a plan that has just set
// the option can only trust the kernel.
func (t *Rules) Comparison(r Request) (Plan, platform.Faults) {
	var faults platform.Faults
	for _, f := range t.check(&r) {
		if !t.mayBeHeld(f) {
			faults = append(faults, &f.Fault)
		}
	}
	for i := range t.Specs {
		if s := &t.Specs[i]; s.Readable == platform.No && r.asks(s.Option) {
			f := t.newFault(unsupported, s.Option, r.value(s.Option))
			f.Problem = fmt.Sprintf("cannot be read back on %s, so whether %s still holds it is unknown", t.Name, s.Symbol)
			faults = append(faults, &f.Fault)
		}
	}
	if len(faults) > 0 {
		return Plan{}, faults
	}
	p := t.plan(&r)
	for i := range p.Steps() {
		p.steps[i].readable = platform.Yes
	}
	return p, nil
}

// mayBeHeld reports whether a fault is only about setting the option, so that a
// socket may still hold the value. No option holds more than a C int.
func (t *Rules) mayBeHeld(f *fault) bool {
	s := t.Spec(f.Option)
	switch {
	case s == nil:
		return false
	case f.kind == incomplete: // an ioctl's value is also unreadable, which is the better reason
		return isPlain(s) || s.Readable == platform.No
	case f.kind == tooSmall, f.kind == tooLarge:
		return isPlain(s) && toKernel(s.Unit, f.Value) <= math.MaxInt32
	}
	return false
}
