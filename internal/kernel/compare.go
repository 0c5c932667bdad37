package kernel

import (
	"fmt"
	"math"

	"github.com/tcpkeepalive/keepalive/platform"
)

// Comparison returns the plan with which [Plan.Verify] compares a socket with r; it
// is not to be applied. It differs from [Rules.Plan] in both directions. A value that
// setsockopt refuses is compared all the same, because a socket may hold it: sysctl
// net.ipv4.tcp_keepalive_time takes more than TCP_KEEPIDLE does. And what cannot be
// read back is a fault, or an error of Verify, where a plan that has just set the
// option can only trust the kernel.
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
			f.Problem = fmt.Sprintf("cannot be read back on %s, so nobody can tell whether %s still holds it", t.Name, s.Symbol)
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

// mayBeHeld tells whether a fault is only about setting, so that a socket may hold
// the value all the same. No option holds more than a C int.
func (t *Rules) mayBeHeld(f *fault) bool {
	s := t.Spec(f.Option)
	switch {
	case s == nil:
		return false
	case f.kind == incomplete: // of an ioctl it is unreadable as well, which says more
		return isPlain(s) || s.Readable == platform.No
	case f.kind == tooSmall, f.kind == tooLarge:
		return isPlain(s) && toKernel(s.Unit, f.Value) <= math.MaxInt32
	}
	return false
}
