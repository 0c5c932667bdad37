package platform

import (
	"errors"
	"fmt"
)

// An OptionError is a failed getsockopt, setsockopt or ioctl.
//
// errors.Is(err, [errors.ErrUnsupported]) is true if the kernel does not know
// the option on this kind of socket: TCP_USER_TIMEOUT on Multipath TCP, or
// TCP_MAXUNACKTIME on FreeBSD before 14. It is false for a value that the kernel
// refuses (EINVAL).
type OptionError struct {
	Call   string // "setsockopt", "getsockopt" or "ioctl"
	Option Option
	Symbol string // the C symbol
	Value  string // the value to set, "" for getsockopt
	Err    error  // the errno
	// Unsupported means that the kernel does not know the option on this kind of
	// socket.
	Unsupported bool
}

// Error returns "setsockopt TCP_USER_TIMEOUT=60000: protocol not available".
func (e *OptionError) Error() string {
	s := e.Call + " " + e.Symbol
	if e.Value != "" {
		s += "=" + e.Value
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns the errno.
func (e *OptionError) Unwrap() error { return e.Err }

// Is makes errors.Is(e, errors.ErrUnsupported) true for an unknown option.
func (e *OptionError) Is(target error) bool {
	return target == errors.ErrUnsupported && e.Unsupported
}

// A MismatchError is about an option whose value is not the one asked for: the
// kernel (or a sandbox in its place) reported success but did not store it, or
// another value has been set since.
type MismatchError struct {
	Option     Option
	Symbol     string
	Asked, Got int // in the unit that the kernel counts the option in; see Spec.Unit
}

// Error returns "TCP_KEEPIDLE: asked for 60, the kernel holds 15".
func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s: asked for %d, the kernel holds %d", e.Symbol, e.Asked, e.Got)
}
