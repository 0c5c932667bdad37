package inspect

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// readlinkat reads the link name, which ends with a zero byte, without
// converting it to a string: it is called once for every descriptor of the
// machine.
func readlinkat(dir int, name, link []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_READLINKAT, uintptr(dir), uintptr(unsafe.Pointer(&name[0])),
		uintptr(unsafe.Pointer(&link[0])), uintptr(len(link)), 0, 0)
	return int(n), errno
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
