//go:build unix

package interrupt

import (
	"os"
	"syscall"
)

// interrupts are signals that ask a program to end: SIGHUP when its terminal is gone,
// such as that of a broken ssh session.
var interrupts = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

const hangup = syscall.SIGHUP
