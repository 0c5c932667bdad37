//go:build !unix && !windows

package platform_test

import (
	"errors"
	"fmt"
)

// A system without socket options has no errno for a missing one either; the
// package tells it by errors.ErrUnsupported there.
var (
	eINVAL      = errors.New("invalid argument")
	eNOPROTOOPT = fmt.Errorf("no such option: %w", errors.ErrUnsupported)
	eOPNOTSUPP  = fmt.Errorf("not on this socket: %w", errors.ErrUnsupported)
	ePERM       = errors.New("not permitted")
	eBADF       = errors.New("bad file descriptor")
)
