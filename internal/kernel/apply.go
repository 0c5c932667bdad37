package kernel

import "github.com/tcpkeepalive/keepalive/platform"

// Apply makes the plan's calls on the socket fd. It continues after a failure
// and returns all errors, each an [*platform.OptionError].
//
// Then the options of check, normally the plan itself, are read back, except those whose
// call has just failed; an option that holds another value adds a
// [*platform.MismatchError]. What the platform cannot read back (SIO_KEEPALIVE_VALS,
// options of old NetBSD releases) stays unconfirmed. A nil check reads nothing.
func (p *Plan) Apply(k Kernel, fd uintptr, check *Plan) error {
	var errs []error
	var failed platform.OptionSet
	for i := range p.Steps() {
		s := &p.steps[i]
		if err := s.apply(k, fd); err != nil {
			errs = append(errs, err)
			failed |= s.Carries
		}
	}
	if check != nil {
		for i := range check.Steps() {
			s := &check.steps[i]
			if failed&s.Carries != 0 {
				continue
			}
			if err := s.verify(k, fd); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return join(errs)
}

// Verify only reads the plan's options back.
func (p *Plan) Verify(k Kernel, fd uintptr) error {
	var none Plan
	return none.Apply(k, fd, p)
}

func (s *Step) apply(k Kernel, fd uintptr) error {
	if s.ioctl {
		if err := k.SetKeepAliveVals(fd, s.Vals); err != nil {
			return s.failed("ioctl", s.valueText(), err)
		}
		return nil
	}
	if err := k.Set(fd, s.Level, s.Number, s.Value); err != nil && !s.isOffAnyway(k, fd, err) {
		return s.failed("setsockopt", s.valueText(), err)
	}
	return nil
}

func (s *Step) verify(k Kernel, fd uintptr) error {
	if s.passing || s.readable == platform.No {
		return nil
	}
	got, err := k.Get(fd, s.Level, s.Number)
	if err != nil {
		if s.readable == platform.Unknown && noSuchOption(err) {
			return nil // a release that can set the option but not read it
		}
		if s.isOffAnyway(k, fd, err) {
			return nil
		}
		return s.failed("getsockopt", "", err)
	}
	if s.Option == platform.KeepAlive { // BSD kernels return the flag's bit
		if (got != 0) == (s.Value != 0) {
			return nil
		}
	} else if got == s.Value {
		return nil
	}
	return &platform.MismatchError{Option: s.Option, Symbol: s.Symbol, Asked: s.Value, Got: got}
}

// isOffAnyway reports whether the step switches the user timeout off and err
// only says that a Multipath TCP socket has none. [Rules.Read] also reads it as
// off.
func (s *Step) isOffAnyway(k Kernel, fd uintptr, err error) bool {
	return s.Option == platform.UserTimeout && s.Value == 0 && noSuchOption(err) && isMultipath(k, fd)
}

func (s *Step) failed(call, value string, err error) error {
	return &platform.OptionError{Call: call, Option: s.Option, Symbol: s.Symbol, Value: value, Err: err, Unsupported: noSuchOption(err)}
}
