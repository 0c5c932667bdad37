//go:build unix && !linux

package watch

import (
	"os"
	"os/signal"
	"syscall"
)

// stopSelf lets SIGTSTP do what it does to a program that does not care.
func stopSelf() {
	signal.Reset(syscall.SIGTSTP)
	syscall.Kill(os.Getpid(), syscall.SIGTSTP)
}
