package socket

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// Get reads what the kernel holds for the socket below c.
func Get(c any) (platform.Settings, error) {
	rc, isTCP, err := find(c)
	if err != nil {
		return platform.Settings{}, err
	}
	return read(rc, isTCP)
}

// Read reads what the kernel holds for a TCP socket. It allocates nothing.
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

// RawConn returns the TCP socket below c, which is what sockopt.Set takes. The error
// wraps [ErrNotTCP], [ErrNoSocket] or [net.ErrClosed].
func RawConn(c any) (syscall.RawConn, error) {
	rc, isTCP, err := find(c)
	if err != nil {
		return nil, err
	}
	if !isTCP {
		if _, err := read(rc, false); err != nil {
			return nil, err
		}
	}
	return rc, nil
}

// KindOf tells whether the socket below c, which is what sockopt.Set takes, is plain
// TCP, Multipath TCP or neither.
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

// kindOf knows one reason why the question fails: the descriptor is a file.
func kindOf(k kernel.Kernel, fd uintptr) (kernel.Kind, error) {
	kind, err := kernel.KindOf(k, fd)
	if err != nil {
		return kind, fmt.Errorf("%w: %w", ErrNoSocket, err)
	}
	return kind, nil
}
