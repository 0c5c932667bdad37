package kernel

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func listens(k Kernel, fd uintptr) (bool, error) {
	return holds(k, fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN, "SO_ACCEPTCONN")
}

// kindOf also reads the type, because raw sockets have protocol numbers too, and
// other address families have their own protocol 6.
func kindOf(k Kernel, fd uintptr) (Kind, error) {
	protocol, err := k.Get(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil {
		return NotTCP, fmt.Errorf("getsockopt SO_PROTOCOL: %w", err)
	}
	if protocol == unix.IPPROTO_MPTCP {
		return MultipathTCP, nil
	}
	if protocol != unix.IPPROTO_TCP {
		return NotTCP, nil
	}
	typ, err := k.Get(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return NotTCP, fmt.Errorf("getsockopt SO_TYPE: %w", err)
	}
	if typ != unix.SOCK_STREAM {
		return NotTCP, nil
	}
	return TCP, nil
}
