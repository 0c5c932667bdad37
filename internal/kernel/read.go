package kernel

import (
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// Read returns the settings of the socket fd. The error joins an [*platform.OptionError]
// for each option that could not be read. An option that this platform or this kind of
// socket does not have is not an error: it is not Known. The exception is the user timeout
// of Multipath TCP, which is known to be off.
func (t *Rules) Read(k Kernel, fd uintptr) (platform.Settings, error) {
	var got platform.Settings
	var errs []error
	for i := range t.Specs {
		s := &t.Specs[i]
		if !isPlain(s) || s.Readable == platform.No {
			continue
		}
		n, err := k.Get(fd, s.Level, s.Number)
		switch {
		case err != nil && noSuchOption(err):
			if s.Option == platform.UserTimeout && isMultipath(k, fd) {
				hold(&got, platform.UserTimeout, 0) // no Multipath TCP socket has one
			}
		case err != nil:
			errs = append(errs, &platform.OptionError{Call: "getsockopt", Option: s.Option, Symbol: s.Symbol, Err: err})
		case meansNothing(s, n):
		default:
			hold(&got, s.Option, fromKernel(s.Unit, int64(n)))
		}
	}
	return got, join(errs)
}

// isMultipath is called only if an option is missing, because it takes another system
// call.
func isMultipath(k Kernel, fd uintptr) bool {
	kind, err := kindOf(k, fd)
	return err == nil && kind == MultipathTCP
}

// meansNothing reports whether n is not a value of the option: illumos returns 0
// for an interval and a count that were never set, while probes back off
// exponentially; and a user timeout of 0 means off only if the table says so.
func meansNothing(s *platform.Spec, n int) bool {
	switch s.Option {
	case platform.KeepAlive:
		return false
	case platform.UserTimeout:
		return n < 0 || n == 0 && s.Zero != "off"
	}
	return n <= 0
}

// Effect returns the settings that a socket with the settings before has once
// the plan for r was applied. The values of r are rounded to the kernel's units.
// Effect makes no system call; r must be accepted by [Rules.Check].
func (t *Rules) Effect(r Request, before platform.Settings) platform.Settings {
	after := before
	for i := range t.Specs {
		s := &t.Specs[i]
		switch v := r.value(s.Option); {
		case !r.asks(s.Option):
		case v < 0:
			hold(&after, s.Option, 0)
		default:
			hold(&after, s.Option, fromKernel(s.Unit, toKernel(s.Unit, v)))
		}
	}
	return after
}

// hold records that the option has a value.
func hold(s *platform.Settings, o platform.Option, v int64) {
	s.Known |= SetOf(o)
	switch o {
	case platform.KeepAlive:
		s.Enabled = v != 0
	case platform.Idle:
		s.Idle = time.Duration(v)
	case platform.Interval:
		s.Interval = time.Duration(v)
	case platform.Count:
		s.Count = int(v)
	case platform.UserTimeout:
		s.UserTimeout = time.Duration(v)
	}
}
