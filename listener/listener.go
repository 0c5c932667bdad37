package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/errname"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A ListenConfig listens as its Base does and gives each accepted TCP connection
// the keepalive settings of its Config. Options that the Config leaves unset
// have the kernel's default, not Go's.
//
// If that is known to be harmless (Linux, FreeBSD, OpenBSD), the options are set
// on the listening socket, otherwise only after accept: see
// [platform.Table.ArmsListener].
//
// The zero value is ready to use: it switches keepalive on and leaves the rest to the
// system. Where there is no keepalive (Plan 9, js, wasip1), listening on a TCP address fails
// with an error that wraps [errors.ErrUnsupported]. Listen and Wrap use the values that the
// fields have when they are called; later changes do not reach the listeners that they
// returned. A ListenConfig may be copied, and is safe for concurrent use as long as its
// fields are not changed.
type ListenConfig struct {
	// Base is the net.ListenConfig to listen with. Its KeepAlive,
	// KeepAliveConfig and Multipath TCP setting are ignored; its Control runs
	// first.
	Base net.ListenConfig

	// Config has the keepalive settings of the connections.
	Config sockopt.Config

	// MultipathTCP asks for a Multipath TCP listener, as the field of a dialer.Dialer asks for such
	// connections. The default is plain TCP, unlike package net since Go 1.24, because a Multipath
	// TCP socket has no user timeout. Connections of clients that use plain TCP get every option;
	// for the others the missing user timeout is reported to OnError. If the kernel has no
	// Multipath TCP, or if its Multipath TCP refuses another option, the listener becomes plain
	// TCP, and OnError receives the reason.
	MultipathTCP bool

	// WithoutReadBack saves the system calls that read options back after they
	// were set on an accepted connection. Inherited options take no system call
	// in either case, and the listening socket is always read back.
	WithoutReadBack bool

	// Pin makes Accept return connections whose options other packages cannot overwrite;
	// see [sockopt.Pin]. A gRPC server needs it: grpc-go sets a user timeout of 20 s on
	// every connection that it accepts and that is not pinned.
	Pin bool

	// VerifyAfter is the time after Accept at which the options of each connection that is
	// still open are read again. OnError receives an error if an option has been
	// overwritten since Accept, even one that Config leaves unset, or could not be read. A
	// connection that is not TCP or hides its socket is not verified. All options of a
	// connection are read twice. The connection is kept in memory until it is verified; about
	// as many closed connections as open ones, or 64, are kept. With 0 nothing is
	// verified.
	VerifyAfter time.Duration

	// OnError receives an error about an option that an accepted connection
	// lacks. Accept calls it with the connection that it is about to return;
	// Listen calls it with a nil connection if the error is about the listener;
	// and VerifyAfter calls it in a separate goroutine. By default each distinct
	// error is logged once, with [log/slog].
	OnError func(net.Conn, error)

	os socket.OS // for tests
}

// New returns a ListenConfig with that Config on a zero net.ListenConfig. Its other fields
// can be set afterwards. If this operating system cannot honour the Config, the error
// wraps the same as that of [sockopt.Config.Validate].
func New(cfg sockopt.Config) (*ListenConfig, error) {
	lc := &ListenConfig{Config: cfg}
	if _, err := lc.os.NewSetter(kernel.Request(cfg)); err != nil {
		return nil, named(err)
	}
	return lc, nil
}

// Listen listens like [net.ListenConfig.Listen]. The error is a [*net.OpError]. It wraps the
// same as that of [sockopt.Config.Validate] if this operating system cannot honour the
// Config, and the same as that of [sockopt.Set] if the kernel refused an option.
//
// Base listens on networks other than tcp, tcp4 and tcp6; their sockets are left
// unchanged.
func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if !strings.HasPrefix(network, "tcp") {
		return lc.Base.Listen(ctx, network, address)
	}
	setter, err := lc.os.NewSetter(kernel.Request(lc.Config))
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	var lostMultipath error // why Multipath TCP could not be used
	base := lc.Base
	own(&base, lc.MultipathTCP, func(network, address string, c syscall.RawConn) error {
		multipath := isMultipath(c)
		before := lc.onListeningSocket(setter, multipath)
		if before == nil {
			return nil
		}
		err := before.Hook(network, address, c)
		if multipath {
			lostMultipath = err
		}
		return err
	})
	l, err := base.Listen(ctx, network, address)
	if err != nil {
		return nil, err
	}
	report := newReporter(lc.OnError)
	if lc.MultipathTCP && !isMultipath(l) {
		if lostMultipath == nil {
			lostMultipath = errors.New("the system has none, or it is switched off")
		}
		report.deliver(nil, fmt.Errorf("plain TCP instead of the Multipath TCP asked for: %w", lostMultipath))
	}
	return lc.accepting(l, setter, lc.os.Rules().NotInherited(setter.Options()), report), nil
}

// own makes base leave keepalive unchanged and run hook after its own Control.
func own(base *net.ListenConfig, multipath bool, hook func(network, address string, c syscall.RawConn) error) {
	user := base.Control
	base.KeepAlive = -1
	base.KeepAliveConfig = net.KeepAliveConfig{}
	base.SetMultipathTCP(multipath)
	base.Control = func(network, address string, c syscall.RawConn) error {
		if user != nil {
			if err := user(network, address, c); err != nil {
				return err
			}
		}
		return hook(network, address, c)
	}
}

func isMultipath(c any) bool {
	kind, err := socket.KindOf(c)
	return err == nil && kind == kernel.MultipathTCP
}

// onListeningSocket returns the part of s that is set on the listening socket,
// or nil if nothing may be set on it.
func (lc *ListenConfig) onListeningSocket(s socket.Setter, multipath bool) *socket.Setter {
	options := lc.os.Rules().OnListener(s.Options())
	if multipath {
		options &^= kernel.SetOf(platform.UserTimeout)
	}
	if options == 0 {
		return nil
	}
	part := s.Only(options)
	return &part
}

// accepting returns l or, if something is to be done after accept, an acceptor
// that wraps l and sets the options in again on each connection.
func (lc *ListenConfig) accepting(l net.Listener, s socket.Setter, again platform.OptionSet, report *reporter) net.Listener {
	if s.Request().UserTimeout > 0 && isMultipath(l) { // a user timeout that is off needs nothing
		again |= s.Options() & kernel.SetOf(platform.UserTimeout)
	}
	if again == 0 && !lc.Pin && lc.VerifyAfter <= 0 {
		return l
	}
	a := acceptor{Listener: l, pin: lc.Pin, report: report}
	if lc.VerifyAfter > 0 {
		a.verify = &verifier{after: lc.VerifyAfter, report: report}
	}
	if again != 0 {
		s = s.Only(again)
		if lc.WithoutReadBack {
			s = s.WithoutReadBack()
		}
		a.again = &s
	}
	return withMethodsOf(l, a)
}

// Configure sets up an existing net.ListenConfig: KeepAlive becomes -1,
// KeepAliveConfig is cleared and Multipath TCP is switched off, so that Go does
// not set its 15 s and the user timeout can be set, and a hook that sets and
// reads back cfg is chained after the ListenConfig's own hook. Configure may be
// called again with another Config; options that it leaves unset stay as in the
// first one. (SetMultipathTCP(true) may be called afterwards; if cfg has a user
// timeout, Go then falls back to plain TCP.)
//
// The error wraps the same as that of [sockopt.Config.Validate], or
// [errors.ErrUnsupported] on systems where an option set before accept might end
// the listener (macOS, NetBSD, and those where this is unknown), or where
// accepted connections do not inherit all of cfg (FreeBSD: the user timeout). A
// net.ListenConfig cannot set options after accept, so use a [ListenConfig] or
// [Wrap] there. On an error lc is unchanged.
func Configure(lc *net.ListenConfig, cfg sockopt.Config) error {
	return named(configure(socket.OS{}, lc, cfg))
}

func configure(on socket.OS, lc *net.ListenConfig, cfg sockopt.Config) error {
	if lc == nil {
		return errors.New("the net.ListenConfig is nil")
	}
	setter, err := on.NewSetter(kernel.Request(cfg))
	if err != nil {
		return err
	}
	rules := on.Rules()
	const instead = "use listener.ListenConfig or listener.Wrap, which set the options after accept"
	if harm := rules.ListenerHarm(); harm != "" {
		return fmt.Errorf("%s; %s: %w", harm, instead, errors.ErrUnsupported)
	}
	if lost := rules.NotInherited(setter.Options()); lost != 0 {
		return fmt.Errorf("accepted connections on %s do not inherit %v, or it is not known whether they do; %s: %w",
			rules.Title, lost, instead, errors.ErrUnsupported)
	}
	own(lc, false, setter.Hook)
	return nil
}

// named begins an error with the name of the package, where it leaves the package.
func named(err error) error { return errname.With("listener", err) }
