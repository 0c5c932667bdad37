//go:build !unix && !windows

package kernel_test

import (
	"errors"
	"fmt"
)

// A system without socket options has no errno for a missing one either; the
// package tells it by errors.ErrUnsupported there.
var (
	errINVAL      = errors.New("invalid argument")
	errNOPROTOOPT = fmt.Errorf("no such option: %w", errors.ErrUnsupported)
	errOPNOTSUPP  = fmt.Errorf("not on this socket: %w", errors.ErrUnsupported)
	errPERM       = errors.New("not permitted")
	errBADF       = errors.New("bad file descriptor")
)
