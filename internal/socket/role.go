package socket

import (
	"errors"
	"fmt"
	"net"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

// A role is what is known about a socket before the kernel is asked whether it
// is a listening socket: on some systems a keepalive option ends it.
type role uint8

const (
	connection role = iota
	listening
	unknownRole // the kernel must be asked
)

// roleOf returns the role by the type, which takes no system call. A wrapper
// around a listener is a net.Listener too.
func roleOf(c any) role {
	switch c.(type) {
	case net.Listener:
		return listening
	case net.Conn:
		return connection
	}
	return unknownRole
}

// question returns a function that finds out whether the socket is a listening socket.
func (r role) question() func(kernel.Kernel, uintptr) (bool, error) {
	if r == listening {
		return func(kernel.Kernel, uintptr) (bool, error) { return true, nil }
	}
	return kernel.Listens
}

// onListener returns the error for a listening socket on which nothing is set.
func onListener(t *kernel.Rules) error {
	return fmt.Errorf("%s; use listener.ListenConfig or listener.Wrap, which set the options after accept: %w",
		t.ListenerHarm(), errors.ErrUnsupported)
}
