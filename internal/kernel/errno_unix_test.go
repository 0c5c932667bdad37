//go:build unix

package kernel_test

import "golang.org/x/sys/unix"

const (
	errINVAL      = unix.EINVAL
	errNOPROTOOPT = unix.ENOPROTOOPT
	errOPNOTSUPP  = unix.EOPNOTSUPP
	errPERM       = unix.EPERM
	errBADF       = unix.EBADF
)
