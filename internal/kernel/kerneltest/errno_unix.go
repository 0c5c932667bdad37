//go:build unix

package kerneltest

import "golang.org/x/sys/unix"

// The errors with which a system call fails.
const (
	EINVAL      = unix.EINVAL
	ENOPROTOOPT = unix.ENOPROTOOPT
	EOPNOTSUPP  = unix.EOPNOTSUPP
	EPERM       = unix.EPERM
	EBADF       = unix.EBADF
	EADDRINUSE  = unix.EADDRINUSE
)
