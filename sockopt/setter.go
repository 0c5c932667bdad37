package sockopt

import (
	"context"
	"fmt"
	"strings"
	"syscall"

	"github.com/tcpkeepalive/keepalive/platform"
)

// Set makes the socket below c what cfg asks for, and reads it back.
//
// c is a net.Conn, a net.Listener, a [syscall.Conn] or a [syscall.RawConn];
// wrappers with a SyscallConn or NetConn method (tls.Conn) are looked through.
// On a listening socket the options are for connections whose handshake
// completes afterwards, where the system lets them inherit (Linux: all; see
// package listener for the others). Where it is not known that an option starts
// no timer there (macOS and NetBSD then end the listener, see
// [platform.Table.ArmsListener]), Set on a listener changes nothing and returns
// an error that wraps [errors.ErrUnsupported]: use listener.ListenConfig or
// listener.Wrap, which set the options after accept.
//
// A connection that has already been silent for longer than the new idle time
// is probed at once (Linux), and one that has more unanswered probes than the new
// count is given up at once.
//
// If cfg is not valid here, the error is that of [Config.Validate] and nothing
// was changed. Otherwise every option is tried, and the error joins an
// [*OptionError] for each one that the kernel refused and a [*MismatchError]
// for each one that reads back as something else. It wraps [ErrNotTCP] or
// [ErrNoSocket] if there is no TCP socket below c, and [net.ErrClosed] if it is
// closed.
func Set(c any, cfg Config) error {
	s, err := newSetter(cfg)
	if err != nil {
		return err
	}
	rc, isTCP, err := rawConn(c)
	if err != nil {
		return err
	}
	return setOnce(s, rc, isTCP, roleOf(c))
}

// Verify returns nil if the socket below c, which is what [Set] takes, still holds
// every option that cfg asks for. It changes nothing. Otherwise the error joins a
// [*MismatchError] for each option that holds something else (grpc-go sets
// TCP_USER_TIMEOUT on every *net.TCPConn that its servers accept, see [Pin]), and
// those that [Set] returns. What cfg leaves unset is not looked at; to see whether
// anything has changed, verify [Of] what [Get] returned before.
func Verify(c any, cfg Config) error {
	s, err := newSetter(cfg)
	if err != nil {
		return err
	}
	s.sets = platform.Plan{}
	rc, isTCP, err := rawConn(c)
	if err != nil {
		return err
	}
	return setOnce(s, rc, isTCP, roleOf(c))
}

// setOnce lets the Setter live in the pooled call, not on the heap.
func setOnce(s Setter, rc syscall.RawConn, isTCP bool, r role) error {
	c := calls.Get().(*call)
	c.own = s
	return c.own.visit(c, rc, isTCP, r)
}

// Control returns a hook for [net.Dialer].Control or [net.ListenConfig].Control
// that makes each TCP socket what cfg asks for and reads it back.
//
// The hook alone is not enough: unless KeepAlive of the Dialer or ListenConfig
// is -1 and its KeepAliveConfig is not enabled, Go overwrites idle, interval
// and count with 15 s, 15 s and 9 (or its own idle time) right after connect
// and accept. dialer.Configure and listener.Configure set both. Nor can a hook
// run after connect: a user timeout set here also bounds the handshake.
//
// Where an option might end a listening socket (macOS, NetBSD; see
// [platform.Table.ArmsListener]), the hook in a net.ListenConfig refuses: Listen
// returns an error that wraps [errors.ErrUnsupported]. It tells the ListenConfig
// by SO_REUSEADDR, which package net has set by then, so it also refuses in a
// Dialer whose own hook has set that; use dialer.Configure there. On Windows,
// where nothing is known to go wrong, nothing tells the two apart: do not use the
// hook in a ListenConfig there.
//
// The hook leaves unix, UDP and IP sockets untouched, may be called more than
// once for a connection and by several goroutines at a time (Go tries addresses
// in parallel), and allocates nothing. On a Multipath TCP socket an error of
// the hook makes Go fall back to plain TCP without saying so, and call it
// again.
func Control(cfg Config) (func(network, address string, c syscall.RawConn) error, error) {
	s, err := NewSetter(cfg)
	if err != nil {
		return nil, err
	}
	return s.Control, nil
}

// A Setter is a Config made ready to be set on many sockets: checked and
// planned once, applied without allocating. It may be used concurrently.
type Setter struct {
	config   Config
	table    *platform.Table
	sets     platform.Plan // the calls to make
	verifies platform.Plan // the calls to read back
	kernel   platform.Kernel
}

// NewSetter checks cfg for this operating system. The error is that of
// [Config.Validate].
func NewSetter(cfg Config) (*Setter, error) {
	s, err := newSetter(cfg)
	if err != nil {
		return nil, err
	}
	return &s, nil
}

func newSetter(cfg Config) (Setter, error) {
	t := current()
	plan, faults := t.Plan(platform.Request(cfg))
	if len(faults) > 0 {
		return Setter{}, fmt.Errorf("keepalive %v: %w", cfg, faults)
	}
	return Setter{config: cfg, table: t, sets: plan, verifies: plan, kernel: kernel}, nil
}

// kernel is what new Setters and reads talk to, current the table they follow;
// tests put others in their place.
var (
	kernel  = platform.System()
	current = platform.Current
)

// Config returns what the Setter was made from.
func (s *Setter) Config() Config { return s.config }

// Options returns the options that the Setter sets.
func (s *Setter) Options() platform.OptionSet { return s.sets.Carries() }

// Only returns a Setter for that part of the Config: it neither sets nor reads
// back anything else.
func (s *Setter) Only(options platform.OptionSet) *Setter {
	part := *s
	part.sets = s.sets.Only(options)
	part.verifies = s.verifies.Only(options)
	return &part
}

// SetsOnly returns a Setter that sets only that part of the Config, and reads
// back as much as s does. With no options it only verifies.
func (s *Setter) SetsOnly(options platform.OptionSet) *Setter {
	part := *s
	part.sets = s.sets.Only(options)
	return &part
}

// WithoutReadBack returns a Setter that believes a setsockopt that reports
// success. It saves one getsockopt per option.
func (s *Setter) WithoutReadBack() *Setter {
	part := *s
	part.verifies = platform.Plan{}
	return &part
}

// WithKernel returns a Setter that makes its calls on k, for tests.
func (s *Setter) WithKernel(k platform.Kernel) *Setter {
	part := *s
	part.kernel = k
	return &part
}

// Set is the function [Set] with the Setter's Config.
func (s *Setter) Set(c any) error {
	rc, isTCP, err := rawConn(c)
	if err != nil {
		return err
	}
	return s.visit(calls.Get().(*call), rc, isTCP, roleOf(c))
}

// Control is the hook that the function [Control] returns.
func (s *Setter) Control(network, _ string, c syscall.RawConn) error {
	return s.hook(network, c, hooked)
}

// ControlContext is the hook for [net.Dialer].ControlContext. Unlike
// [Setter.Control] it need not ask whether the socket is to listen: a
// net.ListenConfig has no such field.
func (s *Setter) ControlContext(_ context.Context, network, _ string, c syscall.RawConn) error {
	return s.hook(network, c, connection)
}

func (s *Setter) hook(network string, c syscall.RawConn, r role) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	return s.visit(calls.Get().(*call), c, true, r)
}

func (s *Setter) visit(c *call, rc syscall.RawConn, isTCP bool, r role) error {
	cfg := s.config // s may live in c, which is gone after the visit
	c.setter, c.kernel, c.askKind = s, s.kernel, !isTCP
	if r != connection && s.sets.Carries() != s.table.OnListener(s.sets.Carries()) {
		c.listens = r.question()
	}
	_, inner, outer := c.on(rc)
	if outer != nil {
		return fmt.Errorf("sockopt: %w", outer)
	}
	if inner != nil {
		return fmt.Errorf("keepalive %v: %w", cfg, inner)
	}
	return nil
}
