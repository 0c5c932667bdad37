//go:build !unix

package interrupt

import (
	"os"
	"syscall"
)

// interrupts ask a program to end. To Windows, SIGTERM is that its window is closed.
var interrupts = []os.Signal{os.Interrupt, syscall.SIGTERM}

var hangup os.Signal // there is none
