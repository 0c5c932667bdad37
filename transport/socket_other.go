//go:build !unix

package transport

import (
	"net"
)

// A socket cannot be looked at here.
type socket struct{}

func newSocket(net.Conn) *socket { return nil }

func (*socket) pending() bool { return false }
