package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A ListenConfig listens as its Base does and gives each accepted TCP
// connection the keepalive of its Config. What the Config leaves unset is the
// kernel's default, not Go's.
//
// Where that is known to be harmless (Linux, FreeBSD, OpenBSD), the options are
// set on the listening socket, otherwise only after accept: see
// [platform.Table.ArmsListener].
type ListenConfig struct {
	// Base is the net.ListenConfig to listen with. Its KeepAlive,
	// KeepAliveConfig and Multipath TCP setting are ignored; its Control runs
	// first.
	Base net.ListenConfig

	// Config is what the connections are to have.
	Config sockopt.Config

	// MultipathTCP asks for a Multipath TCP listener, as the field of a dialer.Dialer
	// asks for such connections. The default is plain TCP, unlike package net since Go
	// 1.24, because a Multipath TCP socket has no user timeout. Clients that speak plain TCP get everything; for the others the
	// missing user timeout goes to OnError. Where the kernel has no Multipath TCP,
	// or one that refuses another option, the listener becomes plain TCP, and
	// OnError hears why.
	MultipathTCP bool

	// WithoutReadBack saves the system calls that read options back after they
	// were set on an accepted connection. Inherited options cost nothing either
	// way, and the listening socket is always read back.
	WithoutReadBack bool

	// Pin hands out connections whose options other packages cannot overwrite;
	// see [sockopt.Pin]. A gRPC server needs it: grpc-go sets a user timeout of 20 s
	// on every connection that it accepts and that is not pinned.
	Pin bool

	// VerifyAfter reads the options of each accepted connection back that long
	// after Accept, if it is still open; OnError hears of those that somebody has
	// overwritten meanwhile, also of options that Config leaves unset, and of those that
	// could not be read. What is not TCP or hides its socket is left alone. Each
	// connection costs two readings of all options. Until its time has come it is kept
	// in memory; of those that are closed before, no more are than of open ones, or 64.
	// With 0 nothing is read back.
	VerifyAfter time.Duration

	// OnError hears of an option that an accepted connection lacks. It is called
	// by Accept, with the connection that is about to be handed out; with nil if
	// the error is about the listener; and, because of VerifyAfter, by a goroutine
	// of its own. By default each distinct error is logged once, with [log/slog].
	OnError func(net.Conn, error)

	kernel kernel.Kernel // nil is the real one
	system *kernel.Rules // nil is the one this program runs on
}

// New returns a ListenConfig with that Config on a zero net.ListenConfig, whose other
// fields can be set then. The error is that of [sockopt.Config.Validate]: this
// operating system cannot do it.
func New(cfg sockopt.Config) (*ListenConfig, error) {
	lc := &ListenConfig{Config: cfg}
	if _, err := lc.setter(cfg); err != nil {
		return nil, err
	}
	return lc, nil
}

// rules are those of this system, or what a test says.
func (lc *ListenConfig) rules() *kernel.Rules {
	if lc.system != nil {
		return lc.system
	}
	return kernel.Current()
}

// Listen listens like [net.ListenConfig.Listen]. The error is that of
// [sockopt.Config.Validate] if this operating system cannot honour the Config,
// or holds those of [sockopt.Set] if the kernel refused an option.
//
// Networks other than tcp, tcp4 and tcp6 are listened on by Base and left alone.
func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if !strings.HasPrefix(network, "tcp") {
		return lc.Base.Listen(ctx, network, address)
	}
	setter, err := lc.setter(lc.Config)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	var lostMultipath error // why the kernel's Multipath TCP would not do
	base := lc.Base
	own(&base, lc.MultipathTCP, func(network, address string, c syscall.RawConn) error {
		multipath := isMultipath(c)
		before := lc.onListeningSocket(setter, multipath)
		if before == nil {
			return nil
		}
		err := before.Control(network, address, c)
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
		report.hear(nil, fmt.Errorf("listener: plain TCP instead of the Multipath TCP asked for: %w", lostMultipath))
	}
	return lc.accepting(l, setter, lc.rules().NotInherited(setter.Options()), report), nil
}

// setter prepares cfg, for the tests' kernel if there is one.
func (lc *ListenConfig) setter(cfg sockopt.Config) (*socket.Setter, error) {
	s, err := socket.NewSetter(kernel.Request(cfg))
	if err == nil && lc.kernel != nil {
		s = s.WithKernel(lc.kernel)
	}
	return s, err
}

// own makes base leave keepalive alone and run hook after its own Control.
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

// onListeningSocket returns the part of s that a listening socket takes, nil
// where it may not be touched.
func (lc *ListenConfig) onListeningSocket(s *socket.Setter, multipath bool) *socket.Setter {
	options := lc.rules().OnListener(s.Options())
	if multipath {
		options &^= kernel.SetOf(platform.UserTimeout)
	}
	if options == 0 {
		return nil
	}
	return s.Only(options)
}

// accepting returns l, or what hands out l's connections with the options in
// again set anew.
func (lc *ListenConfig) accepting(l net.Listener, s *socket.Setter, again platform.OptionSet, report *reporter) net.Listener {
	if s.Request().UserTimeout > 0 && isMultipath(l) { // none is what it has anyway
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
		a.again = s.Only(again)
		if lc.WithoutReadBack {
			a.again = a.again.WithoutReadBack()
		}
	}
	return withMethodsOf(l, a)
}

// Configure sets up a net.ListenConfig that belongs to somebody else: KeepAlive
// becomes -1, KeepAliveConfig is cleared and Multipath TCP switched off, so that
// Go keeps its 15 s away and the user timeout can be set, and a hook that sets
// and reads back cfg is chained after the ListenConfig's own hook. It may be
// called again with another Config: what that leaves unset stays as the first one
// had it. (SetMultipathTCP(true) after it works too; if cfg has a user timeout, Go
// then falls back to plain TCP.)
//
// The error is that of [sockopt.Config.Validate], or wraps
// [errors.ErrUnsupported] on systems where an option set before accept might end
// the listener (macOS, NetBSD, and where nobody knows), or where accepted
// connections do not inherit all of cfg (FreeBSD: the user timeout). A
// net.ListenConfig has no moment after accept, so use a [ListenConfig] or [Wrap]
// there. On an error lc is unchanged.
func Configure(lc *net.ListenConfig, cfg sockopt.Config) error {
	return configure(kernel.Current(), lc, cfg)
}

func configure(rules *kernel.Rules, lc *net.ListenConfig, cfg sockopt.Config) error {
	if lc == nil {
		return errors.New("listener: the net.ListenConfig is nil")
	}
	setter, err := socket.NewSetter(kernel.Request(cfg))
	if err != nil {
		return err
	}
	const instead = "use listener.ListenConfig or listener.Wrap, which set the options after accept"
	if harm := rules.ListenerHarm(); harm != "" {
		return fmt.Errorf("listener: %s; %s: %w", harm, instead, errors.ErrUnsupported)
	}
	if lost := rules.NotInherited(setter.Options()); lost != 0 {
		return fmt.Errorf("listener: accepted connections on %s do not inherit %v, or nobody knows; %s: %w",
			rules.Title, lost, instead, errors.ErrUnsupported)
	}
	own(lc, false, setter.Control)
	return nil
}
