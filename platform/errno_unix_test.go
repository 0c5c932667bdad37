//go:build unix

package platform_test

import "golang.org/x/sys/unix"

const (
	eINVAL      = unix.EINVAL
	eNOPROTOOPT = unix.ENOPROTOOPT
	eOPNOTSUPP  = unix.EOPNOTSUPP
	ePERM       = unix.EPERM
	eBADF       = unix.EBADF
)
