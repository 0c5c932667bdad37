package watch

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A sigaction has room for struct sigaction of the kernel on any architecture. It is only
// saved and restored, and the zero value means SIG_DFL.
type sigaction [64]byte

// stopSelf stops the program by SIGTSTP with its default action. Once a Go program has asked
// for the signal, the runtime keeps its handler even after signal.Reset, so the default
// action must be restored in the kernel.
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
