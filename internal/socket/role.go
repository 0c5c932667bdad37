package socket

import (
	"errors"
	"fmt"
	"net"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

// A role is what is known about a socket before the kernel is asked whether it
// listens: on some systems a keepalive option ends a listening socket.
type role uint8

const (
	connection role = iota
	listening
	unknownRole // ask
	hooked      // in a Control hook: not yet one or the other
)

// roleOf goes by the type, which is free. A wrapper around a listener is one too.
func roleOf(c any) role {
	switch c.(type) {
	case net.Listener:
		return listening
	case net.Conn:
		return connection
	}
	return unknownRole
}

// question returns how to find out whether the socket listens, or will.
func (r role) question() func(kernel.Kernel, uintptr) (bool, error) {
	switch r {
	case listening:
		return func(kernel.Kernel, uintptr) (bool, error) { return true, nil }
	case hooked:
		return kernel.MayListen
	}
	return kernel.Listens
}

// onListener is why nothing is set on a listening socket.
func onListener(t *kernel.Rules) error {
	return fmt.Errorf("%s; use listener.ListenConfig or listener.Wrap, which set the options after accept: %w",
		t.ListenerHarm(), errors.ErrUnsupported)
}
