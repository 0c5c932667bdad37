//go:build !plan9 && !wasip1 && !windows

package sockopt

import "syscall"

const hostDown = syscall.EHOSTDOWN
