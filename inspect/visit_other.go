//go:build !linux

package inspect

import (
	"errors"
	"fmt"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

// A target is empty: getsockopt is the only source here.
type target struct{}

func (v *visit) identify(fd uintptr) error {
	v.handle.target = target{}
	_, err := tcpKind(fd)
	return err
}

func (v *visit) look(fd uintptr) (err error) {
	v.report.Settings, err = kernel.Current().Read(kernel.System(), fd)
	v.report.Unknown = errUnsupported("the timer is")
	return err
}

// A multipath is empty too.
//
//lint:ignore U1000 each visit has one
type multipath struct{}

func (v *visit) askAlive(fd uintptr) error { return v.askHealth(fd) }

func (v *visit) askHealth(uintptr) error {
	return errUnsupported("whether the peer answers is")
}

// errUnsupported says what is known on Linux only.
func errUnsupported(what string) error {
	return fmt.Errorf("%s unknown on %s: %w", what, kernel.Current().Title, errors.ErrUnsupported)
}
