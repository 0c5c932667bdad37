package sockopt

import "syscall"

// hostDown is no error: wasip1 has no EHOSTDOWN.
const hostDown syscall.Errno = 0
