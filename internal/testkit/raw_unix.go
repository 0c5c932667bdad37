//go:build unix

package testkit

import (
	"errors"

	"golang.org/x/sys/unix"
)

// withSocket calls f with a new TCP socket.
func withSocket(f func(fd uintptr) error) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return f(uintptr(fd))
}

func getOption(fd uintptr, level, number int) (int, error) {
	return unix.GetsockoptInt(int(fd), level, number)
}

func setOption(fd uintptr, level, number, value int) error {
	return unix.SetsockoptInt(int(fd), level, number, value)
}

// missing reports whether a socket does not have an option.
func missing(err error) bool {
	return errors.Is(err, unix.ENOPROTOOPT) || errors.Is(err, unix.EOPNOTSUPP)
}
