package watch

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A sigaction is struct sigaction of the kernel, of any architecture: it is
// only kept and given back, and zeros are SIG_DFL.
type sigaction [64]byte

// stopSelf lets SIGTSTP do what it does to a program that does not care. To Go
// it is a signal that nobody waits for once it was asked for, signal.Reset or
// not, so the kernel has to know.
func stopSelf() {
	var standard, ours sigaction
	size := uintptr(8) // of a sigset_t
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		size = 16
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(syscall.SIGTSTP),
		uintptr(unsafe.Pointer(&standard)), uintptr(unsafe.Pointer(&ours)), size, 0, 0)
	if errno != 0 {
		return
	}
	syscall.Kill(os.Getpid(), syscall.SIGTSTP)
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(syscall.SIGTSTP), uintptr(unsafe.Pointer(&ours)), 0, size, 0, 0)
}
