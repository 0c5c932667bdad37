//go:build linux && (386 || s390x)

package inspect

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// getsockopt goes through the call that all socket calls of old went through, as
// not every kernel has one of its own here.
func getsockopt(fd uintptr, level, name int, value unsafe.Pointer, size *uint32) error {
	const sysGetsockopt = 15 // SYS_GETSOCKOPT of linux/net.h
	arguments := [5]uintptr{fd, uintptr(level), uintptr(name), uintptr(value), uintptr(unsafe.Pointer(size))}
	_, _, errno := unix.RawSyscall(unix.SYS_SOCKETCALL, sysGetsockopt, uintptr(unsafe.Pointer(&arguments)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
