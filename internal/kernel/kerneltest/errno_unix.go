//go:build unix

package kerneltest

import "golang.org/x/sys/unix"

// What a system call fails with.
const (
	EINVAL      = unix.EINVAL
	ENOPROTOOPT = unix.ENOPROTOOPT
	EOPNOTSUPP  = unix.EOPNOTSUPP
	EPERM       = unix.EPERM
	EBADF       = unix.EBADF
	EADDRINUSE  = unix.EADDRINUSE
)
