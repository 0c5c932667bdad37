package dialer

import (
	"context"
	"errors"
	"net"
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Configure sets up a net.Dialer that belongs to somebody else: KeepAlive
// becomes -1 and KeepAliveConfig is cleared, so that Go keeps its 15 s away, and
// a hook that sets and reads back cfg is chained after the Dialer's own hook. It
// may be called again with another Config: what that leaves unset stays as the
// first one had it.
//
// A hook has no moment after connect, so everything is set before, the user
// timeout too, which then also bounds the handshake (Linux: a peer that does not
// answer is an ETIMEDOUT after max(1 s, UserTimeout), where it would be about two
// minutes). With [sockopt.Recommended] that is a minute. Use a [Dialer] to have it
// set after connecting, as a short one would end slow handshakes. Multipath TCP
// has no user timeout, so with one in cfg a Dialer that asks for Multipath TCP
// falls back to plain TCP; [sockopt.NoUserTimeout] is no such one.
//
// The error is that of [sockopt.Config.Validate], and d is then unchanged.
func Configure(d *net.Dialer, cfg sockopt.Config) error {
	if d == nil {
		return errors.New("dialer: the net.Dialer is nil")
	}
	setter, err := socket.NewSetter(kernel.Request(cfg))
	if err != nil {
		return err
	}
	d.KeepAlive = -1
	d.KeepAliveConfig = net.KeepAliveConfig{}
	chain(d, setter)
	return nil
}

// chain makes d run its own hook, the one that package net would have chosen,
// and then that of s.
func chain(d *net.Dialer, s *socket.Setter) {
	user := d.ControlContext
	if control := d.Control; user == nil && control != nil {
		user = func(_ context.Context, network, address string, c syscall.RawConn) error {
			return control(network, address, c)
		}
	}
	d.Control = nil
	d.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
		if user != nil {
			if err := user(ctx, network, address, c); err != nil {
				return err
			}
		}
		return s.ControlContext(ctx, network, address, c)
	}
}
