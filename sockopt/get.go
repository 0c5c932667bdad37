package sockopt

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/tcpkeepalive/keepalive/platform"
)

// Get reads what the kernel holds for the socket below c, which is what [Set]
// takes. A setting that this system or this kind of socket does not have is not
// Known, and no error; nothing is ever reported as 0 because it could not be
// read.
//
// The error joins an [*OptionError] for each read that failed for another
// reason, wraps [ErrNotTCP] or [ErrNoSocket] if there is no TCP socket below c,
// and [net.ErrClosed] if it is closed.
func Get(c any) (Settings, error) {
	rc, isTCP, err := rawConn(c)
	if err != nil {
		return Settings{}, err
	}
	return read(rc, isTCP)
}

func read(rc syscall.RawConn, isTCP bool) (Settings, error) {
	c := calls.Get().(*call)
	c.kernel, c.askKind = kernel, !isTCP
	s, inner, outer := c.on(rc)
	if outer != nil {
		return Settings{}, fmt.Errorf("sockopt: %w", outer)
	}
	if inner != nil {
		return s, fmt.Errorf("sockopt: %w", inner)
	}
	return s, nil
}

// A Handle is the socket of one connection or listener, kept for repeated
// reads: its methods allocate nothing. It does not keep the connection open;
// after Close they return an error that wraps [net.ErrClosed]. It may be used
// concurrently.
type Handle struct {
	rc   syscall.RawConn
	role role
}

// NewHandle finds the socket below c, which is what [Set] takes, and makes sure
// that it is TCP.
func NewHandle(c any) (*Handle, error) {
	rc, err := RawConn(c)
	if err != nil {
		return nil, err
	}
	return &Handle{rc, roleOf(c)}, nil
}

// RawConn returns the TCP socket below c, which is what [Set] takes. The error
// wraps [ErrNotTCP], [ErrNoSocket] or [net.ErrClosed].
func RawConn(c any) (syscall.RawConn, error) {
	rc, isTCP, err := rawConn(c)
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

// Get reads what the kernel holds.
func (h *Handle) Get() (Settings, error) { return read(h.rc, true) }

// Set is the function [Set].
func (h *Handle) Set(cfg Config) error {
	s, err := newSetter(cfg)
	if err != nil {
		return err
	}
	return setOnce(s, h.rc, true, h.role)
}

// KindOf tells whether the socket below c, which is what [Set] takes, is plain
// TCP, Multipath TCP or neither.
func KindOf(c any) (platform.Kind, error) {
	rc, _, err := rawConn(c)
	if errors.Is(err, ErrNotTCP) {
		return platform.NotTCP, nil
	}
	if err != nil {
		return platform.NotTCP, err
	}
	var kind platform.Kind
	var inner error
	if err := rc.Control(func(fd uintptr) { kind, inner = kindOf(kernel, fd) }); err != nil {
		return platform.NotTCP, fmt.Errorf("sockopt: %w", err)
	}
	if inner != nil {
		return platform.NotTCP, fmt.Errorf("sockopt: %w", inner)
	}
	return kind, nil
}

// kindOf knows one reason why the question fails: the descriptor is a file.
func kindOf(k platform.Kernel, fd uintptr) (platform.Kind, error) {
	kind, err := platform.KindOf(k, fd)
	if err != nil {
		return kind, fmt.Errorf("%w: %w", ErrNoSocket, err)
	}
	return kind, nil
}
