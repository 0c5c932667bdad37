//go:build unix

package kernel

import (
	"errors"

	"golang.org/x/sys/unix"
)

func (system) Set(fd uintptr, level, number, value int) error {
	return unix.SetsockoptInt(int(fd), level, number, value)
}

func (system) SetKeepAliveVals(uintptr, [3]uint32) error { return errors.ErrUnsupported }

// noSuchOption reports whether the kernel does not know the option on this
// kind of socket. Multipath TCP answers with either errno.
func noSuchOption(err error) bool {
	return errors.Is(err, unix.ENOPROTOOPT) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOTSUP)
}
