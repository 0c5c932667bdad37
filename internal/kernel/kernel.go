// Package kernel makes the system calls of keepalive: it translates a [Request]
// into the exact calls for one operating system, makes them, and reads options
// back.
//
// The differences between systems are the data of package platform, in the form
// of [Rules]. The plan of a request ([Rules.Plan]) can be computed for every
// system on any system, so the tests cover all of them; only the raw calls of
// [System] are specific to one.
//
// The package works on file descriptors, never on a net.Conn.
package kernel

import "strings"

// A Kernel makes the raw calls. [System] is the real one; a test may replace it by that of
// package kerneltest, which can fail and return false values.
type Kernel interface {
	// Get is getsockopt of an int.
	Get(fd uintptr, level, number int) (int, error)
	// Set is setsockopt of an int.
	Set(fd uintptr, level, number, value int) error
	// SetKeepAliveVals is the SIO_KEEPALIVE_VALS ioctl of Windows.
	SetKeepAliveVals(fd uintptr, vals [3]uint32) error
}

// System returns the running kernel.
func System() Kernel { return system{} }

// system is the running kernel; its methods are in raw_*.go.
type system struct{}

// joined is several errors on one line.
type joined []error

func (e joined) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (e joined) Unwrap() []error { return e }

// join returns nil for no error, and a single error unchanged.
func join(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return joined(errs)
}
