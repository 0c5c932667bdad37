package lab

import (
	"context"
	"net"
	"time"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A side makes one end of a connection.
type side struct {
	dial   func(address string) (net.Conn, error)
	listen func(address string) (net.Listener, error)
}

// goSide is package net with its defaults.
var goSide = netSide(0)

// plainSide is package net without keepalive, which sends no probes.
var plainSide = netSide(-1)

// netSide is package net with this KeepAlive.
func netSide(keepAlive time.Duration) side {
	return side{
		dial: func(address string) (net.Conn, error) {
			d := net.Dialer{KeepAlive: keepAlive}
			return d.Dial("tcp", address)
		},
		listen: func(address string) (net.Listener, error) {
			lc := net.ListenConfig{KeepAlive: keepAlive}
			return lc.Listen(context.Background(), "tcp", address)
		},
	}
}

// ours is this library.
func ours(cfg sockopt.Config, pin bool) side {
	return side{
		dial: func(address string) (net.Conn, error) {
			d := dialer.Dialer{Config: cfg, Pin: pin}
			return d.Dial("tcp", address)
		},
		listen: func(address string) (net.Listener, error) {
			lc := listener.ListenConfig{Config: cfg, Pin: pin}
			return lc.Listen(context.Background(), "tcp", address)
		},
	}
}
