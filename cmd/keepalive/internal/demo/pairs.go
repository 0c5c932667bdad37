package demo

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A maker is one way to make connections.
type maker struct {
	name   string
	what   string
	asks   bool // for the config
	early  bool // asks on the listening socket, and not of what is accepted
	net    bool // package net sets its own values afterwards
	listen func(ctx context.Context) (net.Listener, error)
	dial   func(ctx context.Context, address string) (net.Conn, error)
}

const loopback = "127.0.0.1:0"

// makers returns the three ways of the demo.
func makers(cfg sockopt.Config) ([]maker, error) {
	d, err := dialer.New(cfg)
	if err != nil {
		return nil, err
	}
	hook := func(_, _ string, c syscall.RawConn) error { return sockopt.Set(c, cfg) }
	lc := listener.ListenConfig{Config: cfg}
	return []maker{
		{
			name: "library", what: "dialer.Dialer and listener.ListenConfig", asks: true,
			listen: func(ctx context.Context) (net.Listener, error) { return lc.Listen(ctx, "tcp", loopback) },
			dial:   d.DialAddr("tcp"),
		},
		{
			name: "default", what: "net.Dial and net.Listen", net: true,
			listen: func(ctx context.Context) (net.Listener, error) { return stdListen(ctx, net.ListenConfig{}) },
			dial:   stdDial(net.Dialer{}),
		},
		{
			name: "naive", what: "net.Dialer and net.ListenConfig with a Control hook", asks: true, early: true, net: true,
			listen: func(ctx context.Context) (net.Listener, error) {
				if t := kernel.Current(); t.OnListener(kernel.SetOf(kernel.Options()...)) == 0 {
					return stdListen(ctx, net.ListenConfig{}) // the hook refuses: there it may end the listener
				}
				return stdListen(ctx, net.ListenConfig{Control: hook})
			},
			dial: stdDial(net.Dialer{Control: hook}),
		},
	}, nil
}

func stdListen(ctx context.Context, lc net.ListenConfig) (net.Listener, error) {
	return lc.Listen(ctx, "tcp", loopback)
}

func stdDial(d net.Dialer) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, address string) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
}

// A pair is both ends of one connection.
type pair struct{ dialed, accepted net.Conn }

func (m *maker) connect(ctx context.Context) (p pair, err error) {
	// Where the loopback interface was up before, a connection to it fails only after
	// minutes.
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	l, err := m.listen(ctx)
	if err != nil {
		return pair{}, fmt.Errorf("%s: %w", m.name, err)
	}
	defer l.Close()
	if p.dialed, err = m.dial(ctx, l.Addr().String()); err != nil {
		return pair{}, fmt.Errorf("%s: %w", m.name, err)
	}
	if p.accepted, err = acceptFrom(l, p.dialed); err != nil {
		p.dialed.Close()
		return pair{}, fmt.Errorf("%s: %w", m.name, err)
	}
	return p, nil
}

// acceptFrom returns the other end of client, and closes the connections of others:
// a program may still dial a port that was its own before the listener had it.
func acceptFrom(l net.Listener, client net.Conn) (net.Conn, error) {
	for {
		c, err := l.Accept()
		if err != nil || c.RemoteAddr().String() == client.LocalAddr().String() {
			return c, err
		}
		c.Close()
	}
}

func (p pair) close() {
	p.dialed.Close()
	p.accepted.Close()
}

// withoutLoopback adds to why there is no connection that the loopback interface is down,
// as it is in a new network namespace.
func withoutLoopback(err error) error {
	interfaces, listErr := net.Interfaces()
	if listErr != nil {
		return err
	}
	down := ""
	for _, i := range interfaces {
		switch {
		case i.Flags&net.FlagLoopback == 0:
		case i.Flags&net.FlagUp != 0:
			return err
		default:
			down = i.Name
		}
	}
	if down == "" {
		return err
	}
	return fmt.Errorf("%w: the loopback interface %s is down; ip link set %[2]s up makes it work", err, down)
}
