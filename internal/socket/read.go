package socket

import (
	"cmp"
	"errors"
	"net"
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// Get reads the settings of the socket below c.
func (o OS) Get(c any) (platform.Settings, error) {
	rc, isTCP, err := find(c)
	if err != nil {
		return platform.Settings{}, err
	}
	v := calls.Get()
	v.Data.os, v.Data.askKind = o, !isTCP
	s, _, inner, outer := visit(v, rc, (*call).read)
	return s, cmp.Or(outer, inner)
}

// Find returns the socket below c, which is anything that sockopt.Set accepts. Whether it
// is TCP, the kernel has to be asked. The error wraps [ErrNotTCP] or [ErrNoSocket].
func Find(c any) (syscall.RawConn, error) {
	rc, _, err := find(c)
	return rc, err
}

// RawConn returns the TCP socket below c, which is anything that sockopt.Set accepts. The
// error wraps [ErrNotTCP], [ErrNoSocket] or [net.ErrClosed].
func RawConn(c any) (syscall.RawConn, error) {
	rc, isTCP, err := find(c)
	if err != nil || isTCP {
		return rc, err
	}
	switch kind, err := kindBelow(rc); {
	case err != nil:
		return nil, err
	case kind == kernel.NotTCP:
		return nil, ErrNotTCP
	}
	return rc, nil
}

// KindOf reports whether the socket below c is plain TCP, Multipath TCP or neither. c is
// anything that sockopt.Set accepts.
func KindOf(c any) (kernel.Kind, error) {
	rc, _, err := find(c)
	if errors.Is(err, ErrNotTCP) {
		return kernel.NotTCP, nil
	}
	if err != nil {
		return kernel.NotTCP, err
	}
	return kindBelow(rc)
}

// IsClosed reports whether the connection c is closed. It makes no system call.
func IsClosed(c any) bool {
	rc, _, err := find(c)
	if err == nil {
		_, _, _, err = visit(calls.Get(), rc, (*call).nothing)
	}
	return errors.Is(err, net.ErrClosed)
}

func kindBelow(rc syscall.RawConn) (kernel.Kind, error) {
	_, kind, inner, outer := visit(calls.Get(), rc, (*call).ask)
	return kind, cmp.Or(outer, inner)
}
