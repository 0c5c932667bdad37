package sockopt

import (
	"syscall"
)

type errno = syscall.Errno

// wasip1 has no EHOSTDOWN.
var errnoCauses = []errnoCause{
	{number: uintptr(syscall.ETIMEDOUT), cause: PeerTimeout},
	{number: uintptr(syscall.EHOSTUNREACH), cause: PeerTimeout, transfer: true},
	{number: uintptr(syscall.ENETUNREACH), cause: PeerTimeout, transfer: true},
	{number: uintptr(syscall.ENOTCONN), cause: PeerTimeout, transfer: true},
	{number: uintptr(syscall.ECONNRESET), cause: Reset},
	{number: uintptr(syscall.EPIPE), cause: Reset},
	{number: uintptr(syscall.ECONNABORTED), cause: Reset},
}
