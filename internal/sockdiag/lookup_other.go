//go:build !linux

package sockdiag

import (
	"errors"
	"fmt"
	"runtime"
)

// Lookup is for Linux only.
func Lookup(uintptr) (Socket, error) {
	return Socket{}, fmt.Errorf("the live timer is unknown on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
