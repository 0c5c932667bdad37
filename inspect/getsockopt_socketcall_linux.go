//go:build linux && (386 || s390x)

package inspect

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawGetsockopt goes through the call that all socket calls of old went through, as
// not every kernel has one of its own here.
func rawGetsockopt(fd, level, name uintptr, value, size unsafe.Pointer) unix.Errno {
	const sysGetsockopt = 15 // SYS_GETSOCKOPT of linux/net.h
	arguments := [5]uintptr{fd, level, name, uintptr(value), uintptr(size)}
	_, _, errno := unix.RawSyscall(unix.SYS_SOCKETCALL, sysGetsockopt, uintptr(unsafe.Pointer(&arguments)), 0)
	return errno
}
