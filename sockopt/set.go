package sockopt

import (
	"github.com/tcpkeepalive/keepalive/internal/errname"
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
// which set the options after accept. In the Control hook of a [net.ListenConfig] the socket
// does not listen yet, so Set does not recognize it; listener.Configure sets up such a hook
// where it is harmless.
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
func Set(c any, cfg Config) error { return set(socket.OS{}, c, cfg) }

func set(o socket.OS, c any, cfg Config) error { return named(o.Set(c, kernel.Request(cfg))) }

// Verify returns nil if the socket below c still holds every option that cfg asks for. c
// is anything that [Set] accepts. Verify changes nothing. Its error joins a
// [*platform.MismatchError] for each option that has another value (grpc-go sets
// TCP_USER_TIMEOUT on every *net.TCPConn that its servers accept, see [Pin]) and an
// [*platform.OptionError] for each option that could not be read. Options that cfg leaves
// unset are not checked; to find out whether any option has changed, pass
// [FromSettings] of what [Get] returned earlier.
//
// Because nothing is set, cfg may hold values that [Set] refuses: a sysctl can give a
// socket longer times than setsockopt accepts. If cfg asks for a value that no socket here
// can hold (a negative value, an option that this system lacks), or for one that cannot be
// read back, the error wraps a [platform.Faults]. In the latter case, such as the idle time
// on Windows before 1709, it wraps [errors.ErrUnsupported].
func Verify(c any, cfg Config) error { return verify(socket.OS{}, c, cfg) }

func verify(o socket.OS, c any, cfg Config) error { return named(o.Verify(c, kernel.Request(cfg))) }

// Get returns the settings that the kernel holds for the socket below c. c is
// anything that [Set] accepts. A setting that this system or this kind of socket
// does not have is not Known, which is not an error. A setting that could not be
// read is never reported as 0.
//
// The error joins an [*platform.OptionError] for each read that failed for another
// reason, wraps [ErrNotTCP] or [ErrNoSocket] if there is no TCP socket below c,
// and [net.ErrClosed] if it is closed.
func Get(c any) (platform.Settings, error) { return get(socket.OS{}, c) }

func get(o socket.OS, c any) (platform.Settings, error) {
	s, err := o.Get(c)
	return s, named(err)
}

// named begins an error with the name of the package, where it leaves the package.
func named(err error) error { return errname.With("sockopt", err) }
