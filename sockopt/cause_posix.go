//go:build !plan9 && !windows

package sockopt

import (
	"syscall"
)

type errno = syscall.Errno

var errnoCauses = []errnoCause{
	{number: uintptr(syscall.ETIMEDOUT), cause: PeerTimeout},
	{number: uintptr(syscall.EHOSTUNREACH), cause: PeerTimeout, transfer: true},
	{number: uintptr(syscall.ENETUNREACH), cause: PeerTimeout, transfer: true},
	{number: uintptr(hostDown), cause: PeerTimeout, transfer: true},
	{number: uintptr(syscall.ENOTCONN), cause: PeerTimeout, transfer: true},
	{number: uintptr(syscall.ECONNRESET), cause: Reset},
	{number: uintptr(syscall.EPIPE), cause: Reset},
	{number: uintptr(syscall.ECONNABORTED), cause: Reset},
}
