//go:build linux && !386 && !s390x

package tcpinfo

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawGetsockopt lets Go's scheduler know: TCP_INFO waits for who holds the socket's lock,
// which another thread may do while it faults in what it sends.
func rawGetsockopt(fd, level, name uintptr, value, size unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, level, name, uintptr(value), uintptr(size), 0)
	return errno
}
