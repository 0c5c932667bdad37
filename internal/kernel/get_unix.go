//go:build unix && (!linux || 386 || s390x)

package kernel

import "golang.org/x/sys/unix"

// On linux/386 and linux/s390x getsockopt goes through socketcall(2) on old
// kernels; x/sys handles that.
func (system) Get(fd uintptr, level, number int) (int, error) {
	return unix.GetsockoptInt(int(fd), level, number)
}
