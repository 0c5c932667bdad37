//go:build unix && !linux

package cli

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
