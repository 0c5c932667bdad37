//go:build !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package kernel

import "errors"

// sysctl is not used on Linux: there the defaults are read from a new socket,
// because /proc may not be mounted, and gVisor's has zeros. The other systems
// have no such call.
func sysctl(string) (uint32, error) { return 0, errors.ErrUnsupported }
