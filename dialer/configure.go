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

// Configure sets up an existing net.Dialer: KeepAlive becomes -1 and
// KeepAliveConfig is cleared, so that Go does not set its 15 s, and a hook that
// sets and reads back cfg is chained after the Dialer's own hook. Configure may
// be called again with another Config; options that it leaves unset stay as in
// the first one.
//
// A hook cannot run after connect, so everything is set before it. The user
// timeout then also bounds the handshake (on Linux, dialing a peer that does not
// answer fails with ETIMEDOUT after max(1 s, UserTimeout) instead of about two
// minutes). With [sockopt.Recommended] that is a minute. A short user timeout
// would end slow handshakes; use a [Dialer] to set it after connecting.
// Multipath TCP has no user timeout, so a Dialer that asks for Multipath TCP
// falls back to plain TCP if cfg has one; [sockopt.NoUserTimeout] does not
// count.
//
// The error wraps the same as that of [sockopt.Config.Validate]; d is then unchanged.
func Configure(d *net.Dialer, cfg sockopt.Config) error {
	if d == nil {
		return named(errors.New("the net.Dialer is nil"))
	}
	setter, err := socket.OS{}.NewSetter(kernel.Request(cfg))
	if err != nil {
		return named(err)
	}
	d.KeepAlive = -1
	d.KeepAliveConfig = net.KeepAliveConfig{}
	chain(d, &setter)
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
		return s.Hook(network, address, c)
	}
}
