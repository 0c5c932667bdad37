//go:build linux && !386 && !s390x

package inspect

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// getsockopt enters the kernel without telling Go's scheduler, as nothing waits
// there.
func getsockopt(fd uintptr, level, name int, value unsafe.Pointer, size *uint32) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, uintptr(level), uintptr(name), uintptr(value), uintptr(unsafe.Pointer(size)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
