package dialer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Dialer connects as its Base does and gives each TCP connection the keepalive
// of its Config. What the Config leaves unset is the kernel's default, not Go's.
//
// The options are set right after connecting, in one visit to the socket: of
// several addresses tried in parallel only the one that answered first costs
// anything.
//
// The zero value is ready to use. Set the fields before the first dial; after
// that a Dialer may be used concurrently and must not be copied.
type Dialer struct {
	// Base is the net.Dialer to connect with: timeouts, addresses, resolver,
	// hooks. Its KeepAlive and KeepAliveConfig are ignored.
	//
	// With SetMultipathTCP(true) it asks for Multipath TCP. Such sockets have no
	// user timeout, and on kernels before 6.10 no idle time, interval or count:
	// where the other side speaks Multipath TCP too, Dial returns an error that
	// names what cannot be set. Where it does not, all options work.
	Base net.Dialer

	// Config is what the connections are to have.
	Config sockopt.Config

	// UserTimeoutBeforeConnect sets Config.UserTimeout before connecting, so that
	// it also bounds the handshake, and a peer that does not answer is an
	// ETIMEDOUT after max(1 s, UserTimeout) on Linux. By default it is set right
	// after connecting. It cannot be combined with Multipath TCP.
	UserTimeoutBeforeConnect bool

	// WithoutReadBack saves the system calls that read every option back after
	// connecting. A kernel that refuses an option is still an error.
	WithoutReadBack bool

	// Pin returns connections whose options other packages cannot overwrite; see
	// [sockopt.Pin].
	Pin bool

	kernel kernel.Kernel // nil is the real one

	once     sync.Once
	prepared prepared
	err      error
}

// prepared is what every dial needs, computed once.
type prepared struct {
	dialer net.Dialer
	finish *socket.Setter // on the connected socket
}

// New returns a Dialer with that Config on a zero net.Dialer. The error is that
// of [sockopt.Config.Validate]: this operating system cannot do it.
func New(cfg sockopt.Config) (*Dialer, error) {
	d := &Dialer{Config: cfg}
	if err := d.Check(); err != nil {
		return nil, err
	}
	return d, nil
}

// String returns what its connections are to have: "dialer idle=60s,interval=10s".
func (d *Dialer) String() string {
	text := "dialer " + d.Config.String()
	if d.Pin {
		text += ", pinned"
	}
	return text
}

// Check returns the error that every dial to a TCP address would return because
// of the Dialer's fields, without dialing.
func (d *Dialer) Check() error {
	_, err := d.prepare()
	return err
}

func (d *Dialer) prepare() (prepared, error) {
	setter, err := socket.NewSetter(kernel.Request(d.Config))
	if err != nil {
		return prepared{}, err
	}
	if d.kernel != nil {
		setter = setter.WithKernel(d.kernel)
	}
	p := prepared{dialer: d.Base, finish: setter}
	p.dialer.KeepAlive = -1
	p.dialer.KeepAliveConfig = net.KeepAliveConfig{}
	multipath := d.Base.MultipathTCP()
	late := kernel.SetOf(platform.UserTimeout)
	switch {
	case d.Config.UserTimeout == sockopt.NoUserTimeout && multipath:
		p.finish = setter.Only(^late) // what Multipath TCP never has is off
	case d.Config.UserTimeout > 0 && d.UserTimeoutBeforeConnect && multipath:
		return prepared{}, fmt.Errorf("dialer: keepalive %v: user timeout before connect: Multipath TCP sockets have none: %w", d.Config, errors.ErrUnsupported)
	case d.Config.UserTimeout > 0 && d.UserTimeoutBeforeConnect:
		chain(&p.dialer, setter.Only(late).WithoutReadBack())
		p.finish = setter.SetsOnly(^late)
	}
	if d.WithoutReadBack {
		p.finish = p.finish.WithoutReadBack()
	}
	return p, nil
}

// Dial connects like [net.Dialer.Dial].
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext connects like [net.Dialer.DialContext] and returns a connection
// that has, and was seen to have, every option that Config asks for. If one did
// not take, the connection is closed and the error, a [*net.OpError], holds
// those of [sockopt.Set].
//
// Networks other than tcp, tcp4 and tcp6 are dialed by Base and left alone.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") {
		return d.Base.DialContext(ctx, network, address)
	}
	d.once.Do(func() { d.prepared, d.err = d.prepare() })
	if d.err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: d.err}
	}
	conn, err := d.prepared.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := d.prepared.finish.Set(conn); err != nil {
		conn.Close()
		return nil, &net.OpError{Op: "dial", Net: network, Source: conn.LocalAddr(), Addr: conn.RemoteAddr(), Err: err}
	}
	if d.Pin {
		return sockopt.Pin(conn), nil
	}
	return conn, nil
}
