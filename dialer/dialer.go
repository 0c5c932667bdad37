package dialer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

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
// The zero value is ready to use. As with a [net.Dialer], every dial uses the
// current values of the fields. A Dialer is safe for concurrent use as long as
// its fields are not changed, and must not be copied after first use.
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

	kernel kernel.Kernel // nil is the real one

	latest atomic.Pointer[prepared] // reused by the next dial with the same fields
}

// asked has the fields that determine the options of a dial.
type asked struct {
	config                                    sockopt.Config
	multipath, beforeConnect, withoutReadBack bool
}

// prepared has what is computed once for all dials with the same fields.
type prepared struct {
	asked
	err    error          // why such a dial is impossible
	begin  *socket.Setter // before connecting; nil if nothing is to be set then
	finish *socket.Setter // on the connected socket
}

// New returns a Dialer with that Config on a zero net.Dialer. Its other fields can be set
// afterwards. If this operating system cannot honour the Config, the error is that of
// [sockopt.Config.Validate].
func New(cfg sockopt.Config) (*Dialer, error) {
	d := &Dialer{Config: cfg}
	if err := d.Check(); err != nil {
		return nil, err
	}
	return d, nil
}

// String returns the settings of its connections: "dialer
// idle=60s,interval=10s".
func (d *Dialer) String() string {
	text := "dialer " + d.Config.String()
	if d.Pin {
		text += ", pinned"
	}
	return text
}

// Check returns the error that every dial to a TCP address would return because
// of the Dialer's fields, without dialing.
func (d *Dialer) Check() error { return d.prepare().err }

func (d *Dialer) prepare() *prepared {
	now := asked{d.Config, d.MultipathTCP, d.UserTimeoutBeforeConnect, d.WithoutReadBack}
	if p := d.latest.Load(); p != nil && p.asked == now {
		return p
	}
	p := &prepared{asked: now}
	p.err = p.plan(d.kernel)
	d.latest.Store(p)
	return p
}

// plan fills in the rest of p.
func (p *prepared) plan(k kernel.Kernel) error {
	setter, err := socket.NewSetter(kernel.Request(p.config))
	if err != nil {
		return err
	}
	if k != nil {
		setter = setter.WithKernel(k)
	}
	p.finish = setter
	late := kernel.SetOf(platform.UserTimeout)
	switch {
	case p.config.UserTimeout > 0 && p.beforeConnect && p.multipath:
		return fmt.Errorf("dialer: keepalive %v: user timeout before connect: Multipath TCP sockets have none: %w", p.config, errors.ErrUnsupported)
	case p.config.UserTimeout > 0 && p.beforeConnect:
		p.begin = setter.Only(late).WithoutReadBack()
		p.finish = setter.SetsOnly(^late)
	}
	if p.withoutReadBack {
		p.finish = p.finish.WithoutReadBack()
	}
	return nil
}

// Dial connects like [net.Dialer.Dial].
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext connects like [net.Dialer.DialContext] and returns a connection on
// which every option that Config asks for has been set and verified. If an
// option could not be set, the connection is closed and the error, a
// [*net.OpError], wraps that of [sockopt.Set].
//
// Connections on networks other than tcp, tcp4 and tcp6 are dialed by Base and
// left unchanged.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") {
		return d.Base.DialContext(ctx, network, address)
	}
	p := d.prepare()
	if p.err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: p.err}
	}
	base := d.Base
	base.KeepAlive = -1
	base.KeepAliveConfig = net.KeepAliveConfig{}
	base.SetMultipathTCP(p.multipath)
	if p.begin != nil {
		chain(&base, p.begin)
	}
	conn, err := base.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := p.finish.Set(conn); err != nil {
		conn.Close()
		return nil, &net.OpError{Op: "dial", Net: network, Source: conn.LocalAddr(), Addr: conn.RemoteAddr(), Err: err}
	}
	if d.Pin {
		return sockopt.Pin(conn), nil
	}
	return conn, nil
}
