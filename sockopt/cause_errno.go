//go:build !plan9 && !wasip1

package sockopt

import (
	"errors"
	"runtime"
	"syscall"
)

func causeOfErrno(err error, transfer bool) Cause {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return OtherCause
	}
	if runtime.GOOS == "windows" {
		return windowsCause(uintptr(errno))
	}
	switch errno {
	case syscall.ETIMEDOUT:
		return PeerTimeout
	case syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENOTCONN:
		if transfer {
			return PeerTimeout
		}
	case syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED:
		return Reset
	}
	return OtherCause
}
