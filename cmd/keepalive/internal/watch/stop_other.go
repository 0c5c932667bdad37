//go:build unix && !linux

package watch

import (
	"os"
	"os/signal"
	"syscall"
)

// stopSelf stops the program by SIGTSTP with its default action.
func stopSelf() {
	signal.Reset(syscall.SIGTSTP)
	syscall.Kill(os.Getpid(), syscall.SIGTSTP)
}
