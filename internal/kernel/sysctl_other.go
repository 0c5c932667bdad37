//go:build !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package kernel

import "errors"

// sysctl is not how Linux is asked: a fresh socket answers for its namespace
// without /proc, which may not be mounted, and which gVisor fills with zeros. The
// others have no such call.
func sysctl(string) (uint32, error) { return 0, errors.ErrUnsupported }
