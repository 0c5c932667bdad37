package kernel

import (
	"github.com/tcpkeepalive/keepalive/internal/enum"
)

import "fmt"

// A Kind is what protocol a socket speaks, as far as keepalive is concerned.
type Kind uint8

const (
	NotTCP       Kind = iota // keepalive means nothing here
	TCP                      // plain TCP
	MultipathTCP             // Linux MPTCP, also while it has fallen back to TCP on the wire
)

// String returns "not TCP", "TCP" or "Multipath TCP".
func (k Kind) String() string { return enum.Name("Kind", k, kindNames[:]...) }

var kindNames = [...]string{"not TCP", "TCP", "Multipath TCP"}

// KindOf asks the kernel what fd is. It exists because SO_KEEPALIVE "succeeds"
// on unix, UDP and raw sockets.
func KindOf(k Kernel, fd uintptr) (Kind, error) { return kindOf(k, fd) }

// Listens asks the kernel whether the TCP socket fd is a listening one.
func Listens(k Kernel, fd uintptr) (bool, error) { return listens(k, fd) }

// MayListen is [Listens] for a socket in the Control hook of a net.Dialer or a
// net.ListenConfig, which is neither connected nor listening yet: package net
// has already set SO_REUSEADDR on one that it is about to listen on
// (setDefaultListenerSockopts in net/sockopt_*.go), except on Windows. So yes may
// be wrong for a Dialer whose own hook sets SO_REUSEADDR, and no is wrong for a
// net.ListenConfig on Windows.
func MayListen(k Kernel, fd uintptr) (bool, error) { return mayListen(k, fd) }

// holds reads a flag.
func holds(k Kernel, fd uintptr, level, number int, symbol string) (bool, error) {
	n, err := k.Get(fd, level, number)
	if err != nil {
		return false, fmt.Errorf("getsockopt %s: %w", symbol, err)
	}
	return n != 0, nil
}
