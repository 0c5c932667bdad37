//go:build linux && !386 && !s390x

package inspect

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// read enters the kernel without telling Go's scheduler, as nothing waits there.
func (i *tcpInfo) read(fd uintptr) error {
	size := valueSize
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(i)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return errno
	}
	return short(size)
}
