//go:build linux && !386 && !s390x

package inspect

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawGetsockopt enters the kernel without notifying Go's scheduler, because the
// call never blocks.
func rawGetsockopt(fd, level, name uintptr, value, size unsafe.Pointer) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, level, name, uintptr(value), uintptr(size), 0)
	return errno
}
