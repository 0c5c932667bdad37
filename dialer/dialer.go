package dialer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/errname"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Dialer connects as its Base does and gives each TCP connection the keepalive
// settings of its Config. Options that the Config leaves unset have the kernel's
// default, not Go's.
//
// The options are set right after connecting. If several addresses are tried in
// parallel, only the connection that is established first gets them.
//
// The zero value is ready to use: it switches keepalive on and leaves the rest to the
// system. Where there is no keepalive (Plan 9, js, wasip1), each dial to a TCP address
// fails with an error that wraps [errors.ErrUnsupported], whatever the Config is. As with
// a [net.Dialer], every dial uses the current values of the fields. A Dialer may be
// copied, and is safe for concurrent use as long as its fields are not changed.
type Dialer struct {
	// Base is the net.Dialer to connect with: timeouts, addresses, resolver,
	// hooks. Its KeepAlive, KeepAliveConfig and Multipath TCP setting are ignored.
	Base net.Dialer

	// Config has the keepalive settings of the connections.
	Config sockopt.Config

	// MultipathTCP asks for Multipath TCP. The default is plain TCP. Multipath TCP sockets
	// have no user timeout, and on kernels before 6.10 no idle time, interval or count: if
	// the peer also uses Multipath TCP, Dial returns an error that names what cannot be
	// set. If the peer or this kernel does not support it, the connection is plain TCP and
	// all options work.
	MultipathTCP bool

	// UserTimeoutBeforeConnect sets Config.UserTimeout before connecting, so
	// that it also bounds the handshake: on Linux, dialing a peer that does not
	// answer fails with ETIMEDOUT after max(1 s, UserTimeout). By default it is
	// set right after connecting. It cannot be combined with Multipath TCP.
	UserTimeoutBeforeConnect bool

	// WithoutReadBack saves the system calls that read every option back after
	// connecting. A kernel that refuses an option is still an error.
	WithoutReadBack bool

	// Pin returns connections whose options other packages cannot overwrite; see
	// [sockopt.Pin].
	Pin bool

	os socket.OS // for tests
}

// A plan says what a dial sets.
type plan struct {
	early  bool
	begin  socket.Setter // before connecting, if early
	finish socket.Setter // on the connected socket
}

// New returns a Dialer with that Config on a zero net.Dialer. Its other fields can be set
// afterwards. If this operating system cannot honour the Config, the error wraps the
// same as that of [sockopt.Config.Validate].
func New(cfg sockopt.Config) (*Dialer, error) {
	d := &Dialer{Config: cfg}
	if err := d.Check(); err != nil {
		return nil, err
	}
	return d, nil
}

// Check returns the reason why every dial to a TCP address would fail because of the
// Dialer's fields, without dialing. It opens no more sockets than [sockopt.Config.Validate].
func (d *Dialer) Check() error {
	_, err := d.plan()
	return named(err)
}

// plan checks the fields. It takes a small part of the time of a dial, and opens no socket,
// except for the first check of a process on Windows: see [sockopt.Config.Validate].
func (d *Dialer) plan() (p plan, err error) {
	p.finish, err = d.os.NewSetter(kernel.Request(d.Config))
	if err != nil {
		return plan{}, err
	}
	late := kernel.SetOf(platform.UserTimeout)
	switch {
	case d.Config.UserTimeout > 0 && d.UserTimeoutBeforeConnect && d.MultipathTCP:
		return plan{}, fmt.Errorf("keepalive %v: user timeout before connect: Multipath TCP sockets have none: %w", d.Config, errors.ErrUnsupported)
	case d.Config.UserTimeout > 0 && d.UserTimeoutBeforeConnect:
		p.early, p.begin = true, p.finish.Only(late).WithoutReadBack()
		p.finish = p.finish.SetsOnly(^late)
	}
	if d.WithoutReadBack {
		p.finish = p.finish.WithoutReadBack()
	}
	return p, nil
}

// named begins an error with the name of the package, where it leaves the package.
func named(err error) error { return errname.With("dialer", err) }

// Dial connects like [net.Dialer.Dial].
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext connects like [net.Dialer.DialContext] and returns a connection on
// which every option that Config asks for has been set and verified. If an
// option could not be set, the connection is closed and the error is a [*net.OpError]
// that wraps the same as that of [sockopt.Set].
//
// Connections on networks other than tcp, tcp4 and tcp6 are dialed by Base and
// left unchanged.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") {
		return d.Base.DialContext(ctx, network, address)
	}
	p, err := d.plan()
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	base := d.Base
	base.KeepAlive = -1
	base.KeepAliveConfig = net.KeepAliveConfig{}
	base.SetMultipathTCP(d.MultipathTCP)
	if p.early {
		begin := p.begin
		chain(&base, &begin)
	}
	conn, err := base.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := p.finish.SetOnce(conn); err != nil {
		conn.Close()
		return nil, &net.OpError{Op: "dial", Net: network, Source: conn.LocalAddr(), Addr: conn.RemoteAddr(), Err: err}
	}
	if d.Pin {
		return sockopt.Pin(conn), nil
	}
	return conn, nil
}
