//go:build !linux

package inspect

import (
	"fmt"
	"runtime"

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
	r := &v.report
	r.Settings, err = kernel.Current().Read(kernel.System(), fd)
	r.Unknown = fmtUnsupported("the timer is", runtime.GOOS)
	if err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	return nil
}

func (v *visit) askTimer(uintptr) error { return fmtUnsupported("the timer is", runtime.GOOS) }

// A multipath is empty too.
//
//lint:ignore U1000 each visit has one
type multipath struct{}

func (v *visit) askAlive(fd uintptr) error { return v.askHealth(fd) }

func (v *visit) askHealth(uintptr) error {
	return fmtUnsupported("whether the peer answers is", runtime.GOOS)
}
