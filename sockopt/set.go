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

// Set makes the socket below c what cfg asks for, and reads it back.
//
// c is a net.Conn, a net.Listener, a [syscall.Conn] or a [syscall.RawConn];
// wrappers with a SyscallConn or NetConn method (tls.Conn) are looked through.
// On a listening socket the options are for connections whose handshake
// completes afterwards, where the system lets them inherit (Linux: all; see
// package listener for the others). Where it is not known that an option starts
// no timer there (macOS and NetBSD then end the listener, see
// ArmsListener in [platform.Table]), Set on a listener changes nothing and returns
// an error that wraps [errors.ErrUnsupported]: use listener.ListenConfig or
// listener.Wrap, which set the options after accept.
//
// A connection that has already been silent for longer than the new idle time
// is probed at once (Linux), and one that has more unanswered probes than the new
// count is given up at once.
//
// If cfg is not valid here, the error is that of [Config.Validate] and nothing
// was changed. Otherwise every option is tried, and the error joins an
// [*platform.OptionError] for each one that the kernel refused and a [*platform.MismatchError]
// for each one that reads back as something else. It wraps [ErrNotTCP] or
// [ErrNoSocket] if there is no TCP socket below c, and [net.ErrClosed] if it is
// closed.
func Set(c any, cfg Config) error { return socket.Set(c, kernel.Request(cfg)) }

// Verify returns nil if the socket below c, which is what [Set] takes, still holds
// every option that cfg asks for. It changes nothing. Otherwise the error joins a
// [*platform.MismatchError] for each option that holds something else (grpc-go sets
// TCP_USER_TIMEOUT on every *net.TCPConn that its servers accept, see [Pin]) and an
// [*platform.OptionError] for each one that could not be read. What cfg leaves unset
// is not looked at; to see whether anything has changed, verify [Of] what [Get]
// returned before.
//
// As nothing is set, cfg may hold what [Set] refuses: a sysctl gives a socket longer
// times than its options take. What no socket here can hold (a negative value, an
// option that this system lacks), or what nobody can read back, is a
// [platform.Faults]; the latter wraps [errors.ErrUnsupported], as on Windows before
// 1709 the idle time does.
func Verify(c any, cfg Config) error { return socket.Verify(c, kernel.Request(cfg)) }

// Get reads what the kernel holds for the socket below c, which is what [Set]
// takes. A setting that this system or this kind of socket does not have is not
// Known, and no error; nothing is ever reported as 0 because it could not be
// read.
//
// The error joins an [*platform.OptionError] for each read that failed for another
// reason, wraps [ErrNotTCP] or [ErrNoSocket] if there is no TCP socket below c,
// and [net.ErrClosed] if it is closed.
func Get(c any) (platform.Settings, error) { return socket.Get(c) }

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
// ArmsListener in [platform.Table]), the hook in a net.ListenConfig refuses: Listen
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
	s, err := socket.NewSetter(kernel.Request(cfg))
	if err != nil {
		return nil, err
	}
	return s.Control, nil
}
