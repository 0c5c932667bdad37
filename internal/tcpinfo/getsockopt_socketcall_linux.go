//go:build linux && (386 || s390x)

package tcpinfo

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawGetsockopt uses socketcall(2), because not every kernel has a separate getsockopt
// system call on these architectures.
func rawGetsockopt(fd, level, name uintptr, value, size unsafe.Pointer) unix.Errno {
	const sysGetsockopt = 15 // SYS_GETSOCKOPT of linux/net.h
	arguments := [5]uintptr{fd, level, name, uintptr(value), uintptr(size)}
	_, _, errno := unix.Syscall(unix.SYS_SOCKETCALL, sysGetsockopt, uintptr(unsafe.Pointer(&arguments)), 0)
	return errno
}
