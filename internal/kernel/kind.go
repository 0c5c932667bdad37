package kernel

import (
	"fmt"

	"github.com/tcpkeepalive/keepalive/internal/enum"
)

// A Kind is the protocol of a socket, as far as keepalive is concerned.
type Kind uint8

const (
	NotTCP       Kind = iota // keepalive has no meaning here
	TCP                      // plain TCP
	MultipathTCP             // Linux MPTCP, even after a fallback to TCP on the wire
)

// String returns "not TCP", "TCP" or "Multipath TCP".
func (k Kind) String() string { return enum.Name("Kind", k, kindNames[:]...) }

var kindNames = [...]string{"not TCP", "TCP", "Multipath TCP"}

// KindOf returns the kind of the socket fd. It is needed because SO_KEEPALIVE
// "succeeds" on Unix, UDP and raw sockets.
func KindOf(k Kernel, fd uintptr) (Kind, error) { return kindOf(k, fd) }

// Listens reports whether the TCP socket fd is a listening socket.
func Listens(k Kernel, fd uintptr) (bool, error) { return listens(k, fd) }

// holds reads a flag.
func holds(k Kernel, fd uintptr, level, number int, symbol string) (bool, error) {
	n, err := k.Get(fd, level, number)
	if err != nil {
		return false, fmt.Errorf("getsockopt %s: %w", symbol, err)
	}
	return n != 0, nil
}
