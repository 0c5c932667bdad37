package sockopt

import (
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/platform"
)

var (
	// ErrNotTCP means a connection or listener that is not TCP: keepalive has no
	// meaning there.
	ErrNotTCP = socket.ErrNotTCP

	// ErrNoSocket means a value that gives no access to a socket.
	ErrNoSocket = socket.ErrNoSocket
)

// Set sets the options of cfg on the socket below c, and reads them back.
//
// c is a net.Conn, a net.Listener, a [syscall.Conn] or a [syscall.RawConn];
// wrappers with a SyscallConn or NetConn method (tls.Conn) are unwrapped. On a
// listening socket the options are for connections whose handshake completes
// afterwards, where the system lets them inherit (Linux: all; see package
// listener for the others). If an option may start a timer on a listening socket
// (on macOS and NetBSD that timer ends the listener, see ArmsListener in
// [platform.Table]), Set on a listener changes nothing and returns an error that
// wraps [errors.ErrUnsupported]: use listener.ListenConfig or listener.Wrap,
// which set the options after accept.
//
// A connection that has already been silent for longer than the new idle time
// is probed at once (Linux), and one that has more unanswered probes than the new
// count is given up at once.
//
// If cfg is not valid on this system, the error is that of [Config.Validate] and nothing was
// changed. Otherwise every option is tried, and the error joins an [*platform.OptionError] for each
// option that the kernel refused and a [*platform.MismatchError] for each option that reads back as
// another value. It wraps [ErrNotTCP] or [ErrNoSocket] if there is no TCP socket below c, and
// [net.ErrClosed] if it is closed.
func Set(c any, cfg Config) error { return socket.Set(c, kernel.Request(cfg)) }

// Verify returns nil if the socket below c still holds every option that cfg asks for. c
// is anything that [Set] accepts. Verify changes nothing. Its error joins a
// [*platform.MismatchError] for each option that has another value (grpc-go sets
// TCP_USER_TIMEOUT on every *net.TCPConn that its servers accept, see [Pin]) and an
// [*platform.OptionError] for each option that could not be read. Options that cfg leaves
// unset are not checked; to find out whether any option has changed, pass [Of] the
// settings that [Get] returned earlier.
//
// Because nothing is set, cfg may hold values that [Set] refuses: a sysctl can give a
// socket longer times than setsockopt accepts. If cfg asks for a value that no socket here
// can hold (a negative value, an option that this system lacks), or for one that cannot be
// read back, the error is a [platform.Faults]. In the latter case, such as the idle time
// on Windows before 1709, it wraps [errors.ErrUnsupported].
func Verify(c any, cfg Config) error { return socket.Verify(c, kernel.Request(cfg)) }

// Get returns the settings that the kernel holds for the socket below c. c is
// anything that [Set] accepts. A setting that this system or this kind of socket
// does not have is not Known, which is not an error. A setting that could not be
// read is never reported as 0.
//
// The error joins an [*platform.OptionError] for each read that failed for another
// reason, wraps [ErrNotTCP] or [ErrNoSocket] if there is no TCP socket below c,
// and [net.ErrClosed] if it is closed.
func Get(c any) (platform.Settings, error) { return socket.Get(c) }

// Control returns a hook for [net.Dialer].Control or [net.ListenConfig].Control
// that sets the options of cfg on each TCP socket and reads them back.
//
// The hook alone is not enough: unless KeepAlive of the Dialer or ListenConfig
// is -1 and its KeepAliveConfig is not enabled, Go overwrites idle, interval and
// count with 15 s, 15 s and 9 (or its own idle time) right after connect and
// accept. dialer.Configure and listener.Configure set both. A hook always runs
// before connect, so a user timeout that it sets also bounds the handshake.
//
// On systems where an option might end a listening socket (macOS, NetBSD; see ArmsListener
// in [platform.Table]), the hook refuses to run in a net.ListenConfig: Listen returns an
// error that wraps [errors.ErrUnsupported]. The hook recognizes a ListenConfig by
// SO_REUSEADDR, which package net has already set, so it also refuses in a Dialer whose
// own hook has set SO_REUSEADDR; use dialer.Configure there. On Windows the hook cannot
// distinguish the two. No harm is known there, but do not use the hook in a ListenConfig
// on Windows.
//
// The hook leaves unix, UDP and IP sockets untouched, may be called more than
// once for a connection and by several goroutines at a time (Go tries addresses
// in parallel), and does not allocate. On a Multipath TCP socket an error of the
// hook makes Go silently fall back to plain TCP and call the hook again.
func Control(cfg Config) (func(network, address string, c syscall.RawConn) error, error) {
	s, err := socket.NewSetter(kernel.Request(cfg))
	if err != nil {
		return nil, err
	}
	return s.Control, nil
}
