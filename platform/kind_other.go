//go:build !linux

package platform

import "fmt"

const (
	protocolTCP = 6 // IPPROTO_TCP, the same everywhere
	tcpNoDelay  = 1 // TCP_NODELAY, the same everywhere
)

func mayListen(k Kernel, fd uintptr) (bool, error) {
	return holds(k, fd, bsdSolSocket, bsdSoReuseAddr, "SO_REUSEADDR")
}

// kindOf asks for an option that every TCP has and nothing else has.
func kindOf(k Kernel, fd uintptr) (Kind, error) {
	_, err := k.Get(fd, protocolTCP, tcpNoDelay)
	switch {
	case err == nil:
		return TCP, nil
	case noSuchOption(err):
		return NotTCP, nil
	}
	return NotTCP, fmt.Errorf("getsockopt TCP_NODELAY: %w", err)
}
