package socket

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// Get reads the settings of the socket below c.
func Get(c any) (platform.Settings, error) {
	rc, isTCP, err := find(c)
	if err != nil {
		return platform.Settings{}, err
	}
	return read(rc, isTCP)
}

// Read reads the settings of a TCP socket. It does not allocate.
func Read(rc syscall.RawConn) (platform.Settings, error) { return read(rc, true) }

func read(rc syscall.RawConn, isTCP bool) (platform.Settings, error) {
	c := calls.Get().(*call)
	c.kernel, c.askKind = system, !isTCP
	s, inner, outer := c.on(rc)
	if outer != nil {
		return platform.Settings{}, fmt.Errorf("sockopt: %w", outer)
	}
	if inner != nil {
		return s, fmt.Errorf("sockopt: %w", inner)
	}
	return s, nil
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
	var kind kernel.Kind
	var inner error
	if err := rc.Control(func(fd uintptr) { kind, inner = kindOf(system, fd) }); err != nil {
		return nil, fmt.Errorf("sockopt: %w", err)
	}
	if inner == nil && kind == kernel.NotTCP {
		inner = ErrNotTCP
	}
	if inner != nil {
		return nil, fmt.Errorf("sockopt: %w", inner)
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
	var kind kernel.Kind
	var inner error
	if err := rc.Control(func(fd uintptr) { kind, inner = kindOf(system, fd) }); err != nil {
		return kernel.NotTCP, fmt.Errorf("sockopt: %w", err)
	}
	if inner != nil {
		return kernel.NotTCP, fmt.Errorf("sockopt: %w", inner)
	}
	return kind, nil
}

// kindOf is [kernel.KindOf]. It can fail for one reason: the descriptor is not a
// socket.
func kindOf(k kernel.Kernel, fd uintptr) (kernel.Kind, error) {
	kind, err := kernel.KindOf(k, fd)
	if err != nil {
		return kind, fmt.Errorf("%w: %w", ErrNoSocket, err)
	}
	return kind, nil
}
