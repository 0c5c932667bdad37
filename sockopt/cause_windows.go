package sockopt

import (
	"syscall"
)

type errno = syscall.Errno

var errnoCauses = winsockCauses
