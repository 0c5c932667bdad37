package kernel

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/running"
	"github.com/tcpkeepalive/keepalive/platform"
)

// Rules describe how one operating system handles a [Request]: they are the data
// of its table, with methods that translate it into system calls. They must not
// be modified.
type Rules struct{ platform.Table }

// RulesOf returns the rules of a table.
func RulesOf(t *platform.Table) *Rules { return &Rules{*t} }

// current and currentLimits cache rules of the running kernel.
var current, currentLimits atomic.Pointer[Rules]

// Current returns the rules of the running kernel, see [platform.Current].
func Current() *Rules { return cached(&current, running.Name()) }

// Limits returns rules that have the options and limits of the running kernel, and may
// differ from [Current] in what accepted sockets inherit and what the kernel shows. On Linux
// it makes no system call, see [running.Limits].
func Limits() *Rules { return cached(&currentLimits, running.Limits()) }

// cached returns the rules of the table called name, and keeps them in c. The name changes
// at most once, when the answer about the running kernel becomes conclusive.
func cached(c *atomic.Pointer[Rules], name string) *Rules {
	r := c.Load()
	if r == nil || r.Name != name {
		t, ok := platform.Lookup(name)
		if !ok {
			t = platform.Current() // a system without a table
		}
		r = RulesOf(t)
		c.Store(r)
	}
	return r
}

// Linux returns the rules of Linux, on every system.
var Linux = sync.OnceValue(func() *Rules {
	t, _ := platform.Lookup("linux")
	return RulesOf(t)
})

// Options returns all options, in the order of their declaration.
func Options() []platform.Option {
	return []platform.Option{platform.KeepAlive, platform.Idle, platform.Interval, platform.Count, platform.UserTimeout}
}

const optionCount = int(platform.UserTimeout) + 1

// SetOf returns the set of the given options.
func SetOf(options ...platform.Option) platform.OptionSet {
	var s platform.OptionSet
	for _, o := range options {
		s |= 1 << o
	}
	return s
}

// isPlain reports whether the option has its own setsockopt with an int.
func isPlain(s *platform.Spec) bool { return s.Call == "" }

// isProduct reports whether one setsockopt carries interval*count.
func isProduct(s *platform.Spec) bool { return s.Call == "setsockopt of interval*count" }

// isKeepAliveVals reports whether one ioctl sets on/off, idle and interval.
func isKeepAliveVals(s *platform.Spec) bool { return s.Call == "ioctl SIO_KEEPALIVE_VALS" }

// toKernel converts a field's value to kernel units, rounding up: a duration
// below the unit becomes 1, never 0. It cannot overflow. A unit of 0 stands for
// a plain number.
func toKernel(unit time.Duration, value int64) int64 {
	d := int64(unit)
	if d == 0 {
		return value
	}
	n := value / d
	if value%d > 0 {
		n++
	}
	return n
}

// fromKernel converts kernel units to a field's value. It saturates.
func fromKernel(unit time.Duration, n int64) int64 {
	d := int64(unit)
	if d == 0 {
		return n
	}
	if n > math.MaxInt64/d {
		return math.MaxInt64
	}
	return n * d
}

// limits returns the smallest and largest value in the unit of the field
// (nanoseconds or a number), or UnknownLimit.
func limits(s *platform.Spec) (least, most int64) {
	least, most = s.Min, s.Max
	if least != platform.UnknownLimit {
		least = fromKernel(s.Unit, least)
	}
	if most != platform.UnknownLimit {
		most = fromKernel(s.Unit, most)
	}
	return least, most
}

// OnListener returns those of the given options that may be set on a listening
// socket: all if they are known to start no timer there, otherwise none.
func (t *Rules) OnListener(options platform.OptionSet) platform.OptionSet {
	if t.ArmsListener != platform.No {
		return 0
	}
	return options
}

// ListenerHarm says why nothing may be set on a listening socket. It returns ""
// if options may be set.
func (t *Rules) ListenerHarm() string {
	switch t.ArmsListener {
	case platform.No:
		return ""
	case platform.Yes:
		return fmt.Sprintf("on %s a keepalive option set on a listening socket starts a timer there: %s", t.Title, t.ListenerSource)
	}
	return fmt.Sprintf("whether a keepalive option set on a listening socket starts a timer there is not known on %s: %s", t.Title, t.ListenerSource)
}

// NotInherited returns the options that must be set after accept: those of the
// given options that may not be set on the listening socket (see
// [Rules.OnListener]), or that accepted sockets are not known to inherit. It
// includes KeepAlive if TimingWhileOff requires that.
func (t *Rules) NotInherited(options platform.OptionSet) platform.OptionSet {
	lost := options &^ t.OnListener(options)
	for _, o := range Options() {
		if s := t.Spec(o); options.Has(o) && (s == nil || s.Inherited != platform.Yes) {
			lost |= SetOf(o)
		}
	}
	if t.TimingWhileOff && lost&timing != 0 {
		lost |= SetOf(platform.KeepAlive)
	}
	return lost
}

// timing are the options that say when probes are sent.
var timing = SetOf(platform.Idle, platform.Interval, platform.Count)
