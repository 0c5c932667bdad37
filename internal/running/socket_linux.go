package running

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Socket opens a socket that answers questions about the kernel and about the
// calling thread's network namespace. The caller closes it.
func Socket() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	}
	if err != nil {
		return -1, fmt.Errorf("socket for reading the system's defaults: %w", err)
	}
	return fd, nil
}
