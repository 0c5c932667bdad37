package platform

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Fault is one reason why a platform cannot honour a request.
//
// errors.Is(fault, [errors.ErrUnsupported]) is true if the platform lacks the
// option, or takes it only together with another option.
type Fault struct {
	Platform string // the table's name
	Option   Option
	Symbol   string // the C symbol, "" if the platform lacks the option
	Value    int64  // the value asked for: nanoseconds, or a number for a count
	Min, Max int64  // the limits of the platform, in the same unit, or UnknownLimit
	Missing  Option // the option that must also be set; KeepAlive if there is none
	// Unsupported means that the platform has no such option, or takes it only
	// together with Missing. Otherwise the value is out of range.
	Unsupported bool
	// Problem says what is wrong, what the limit is and what to do about it.
	Problem string
}

// Error names the field, its value and the platform's limit: "idle=36000s is too
// large: TCP_KEEPIDLE on linux takes 1s to 32767s".
func (f *Fault) Error() string {
	return f.Option.String() + "=" + formatRequest(f.Option, f.Value) + " " + f.Problem
}

// Is makes errors.Is(f, errors.ErrUnsupported) true if the platform lacks the
// option.
func (f *Fault) Is(target error) bool {
	return target == errors.ErrUnsupported && f.Unsupported
}

// Faults are all the reasons why a platform cannot honour a request. An empty
// Faults is not an error: convert it to an error only with [Faults.Err].
type Faults []*Fault

// Err returns the faults as an error, or nil if there are none.
func (fs Faults) Err() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

// Error joins the faults in one line.
func (fs Faults) Error() string {
	texts := make([]string, len(fs))
	for i, f := range fs {
		texts[i] = f.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns each fault for errors.Is and errors.As.
func (fs Faults) Unwrap() []error {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errs
}

// A Change is one difference between a request and what a platform accepts
// instead.
type Change struct {
	Option   Option
	From, To int64 // nanoseconds or a number; 0 is unset
	Why      string
}

// String returns the change as "idle=36000s -> 32767s: ...".
func (c Change) String() string {
	return fmt.Sprintf("%s=%s -> %s: %s", c.Option, formatOrUnset(c.Option, c.From), formatOrUnset(c.Option, c.To), c.Why)
}

func formatOrUnset(o Option, v int64) string {
	if v == 0 {
		return "unset"
	}
	return formatRequest(o, v)
}

// formatRequest formats a requested value; a user timeout of -1 stands for off.
func formatRequest(o Option, v int64) string {
	if o == UserTimeout && time.Duration(v) == -1 {
		return "off"
	}
	return o.Format(v)
}
