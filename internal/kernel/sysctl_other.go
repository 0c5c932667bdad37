//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package kernel

import "errors"

// sysctl does not exist on these systems.
func sysctl(string) (uint32, error) { return 0, errors.ErrUnsupported }
