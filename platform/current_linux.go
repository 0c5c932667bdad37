//go:build linux && !android && !mips && !mipsle && !mips64 && !mips64le

package platform

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// found caches the answer once it is conclusive.
var found atomic.Pointer[Table]

// noOption is a number that Linux has never given to a TCP option.
const noOption = 9999

// current tells gVisor from Linux by what it does: it takes any option.
func current() *Table {
	if t := found.Load(); t != nil {
		return t
	}
	fd, err := freshSocket()
	if err != nil {
		return &linux // ask again next time
	}
	defer unix.Close(fd)
	t := &linux
	if unix.SetsockoptInt(fd, linuxTCP, noOption, 0) == nil {
		t = &gvisor
	}
	found.Store(t)
	return t
}

// A number that differs from the kernel's headers does not compile.
var (
	_ = [1]int{}[linuxSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[linuxSoKeepAlive-unix.SO_KEEPALIVE]
)
