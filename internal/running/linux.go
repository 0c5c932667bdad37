//go:build linux && !android && !mips && !mipsle && !mips64 && !mips64le

package running

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// gvisor caches the answer once it is conclusive.
var gvisor atomic.Pointer[bool]

// noOption is a number that Linux has never given to a TCP option.
const noOption = 9999

// name distinguishes gVisor from Linux by its behaviour: it accepts any option.
func name() string {
	is := gvisor.Load()
	if is == nil {
		fd, err := Socket()
		if err != nil {
			return "linux" // ask again next time
		}
		defer unix.Close(fd)
		takesAll := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, noOption, 0) == nil
		gvisor.Store(&takesAll)
		is = new(takesAll)
	}
	if *is {
		return "linux-gvisor"
	}
	return "linux"
}

func limits() string { return "linux" }
