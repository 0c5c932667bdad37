package listener

import (
	"errors"
	"fmt"
	"net"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// goOverwrites are the options that package net sets on every connection
// accepted from a listener whose ListenConfig does not disable that.
var goOverwrites = kernel.SetOf(platform.KeepAlive, platform.Idle, platform.Interval, platform.Count)

// Wrap gives the connections of an existing listener the keepalive settings of
// cfg: it is [ListenConfig.Wrap] with all other fields zero.
func Wrap(l net.Listener, cfg sockopt.Config) (net.Listener, error) {
	lc := ListenConfig{Config: cfg}
	return lc.Wrap(l)
}

// Wrap gives the connections of an existing listener (net.Listen,
// net.FileListener, a systemd socket) the keepalive settings of lc.Config. Base
// and MultipathTCP are ignored.
//
// Go sets 15 s, 15 s, 9 on every connection of such a listener. So idle,
// interval and count are set again after each accept; if Config leaves an option
// unset, it is set to the value that the listening socket has now. Config is
// also set on the listening socket itself if that is known to be harmless (see
// [platform.Table.ArmsListener]).
//
// The result has the SyscallConn method of l and, if l has all three, SetDeadline and
// File. A listener that is not TCP is returned as it is. A listener that hides its socket
// (tls.NewListener) can be wrapped if Config sets idle, interval and count; otherwise wrap
// the listener inside it.
func (lc *ListenConfig) Wrap(l net.Listener) (net.Listener, error) {
	wrapped, err := lc.wrap(l)
	return wrapped, named(err)
}

func (lc *ListenConfig) wrap(l net.Listener) (net.Listener, error) {
	if l == nil || socket.IsNilPointer(l) {
		return nil, errors.New("the net.Listener is nil")
	}
	asked, err := lc.os.NewSetter(kernel.Request(lc.Config))
	if err != nil {
		return nil, err
	}
	report := newReporter(lc.OnError)
	kind, err := socket.KindOf(l)
	switch {
	case errors.Is(err, socket.ErrNoSocket):
		if c := lc.Config; !c.Disabled && (c.Idle == 0 || c.Interval == 0 || c.Count == 0) {
			return nil, fmt.Errorf("the options that keepalive %v leaves unset cannot be read from %T; wrap the listener inside it, or set idle, interval and count: %w", c, l, err)
		}
		return lc.accepting(l, asked, asked.Options(), report), nil
	case err != nil:
		return nil, err
	case kind == kernel.NotTCP:
		return l, nil
	}
	held, err := lc.os.Get(l)
	if err != nil {
		return nil, err
	}
	full, err := fillTiming(lc.os.Rules(), lc.Config, held)
	if err != nil {
		return nil, err
	}
	setter, err := lc.os.NewSetter(kernel.Request(full))
	switch { // a sysctl may hold a value that setsockopt refuses
	case err != nil && full.Disabled:
		setter = asked
	case err != nil:
		return nil, fmt.Errorf("a value of the listening socket cannot be set on a connection; set it in the Config: %w", err)
	}
	if before := lc.onListeningSocket(asked, kind == kernel.MultipathTCP); before != nil {
		if err := before.Set(l); err != nil {
			return nil, err
		}
	}
	again := goOverwrites | lc.os.Rules().NotInherited(setter.Options())
	return lc.accepting(l, setter, again, report), nil
}

// fillTiming fills in the unset options that Go overwrites with the values of
// the listening socket. While keepalive is off, the timing has no effect and may
// stay unknown.
func fillTiming(rules *kernel.Rules, cfg sockopt.Config, held platform.Settings) (sockopt.Config, error) {
	holds := sockopt.FromSettings(held)
	var unknown platform.OptionSet
	fill := func(o platform.Option, unset bool, take func()) {
		switch {
		case !unset || rules.Spec(o) == nil: // without the option, Go cannot overwrite it
		case held.Known.Has(o):
			take()
		default:
			unknown |= kernel.SetOf(o)
		}
	}
	fill(platform.Idle, cfg.Idle == 0, func() { cfg.Idle = holds.Idle })
	fill(platform.Interval, cfg.Interval == 0, func() { cfg.Interval = holds.Interval })
	fill(platform.Count, cfg.Count == 0, func() { cfg.Count = holds.Count })
	if unknown != 0 && !cfg.Disabled {
		return cfg, fmt.Errorf("keepalive %v leaves %v unset, Go overwrites that after accept, and on %s it cannot be read from the listening socket; set it: %w",
			cfg, unknown, rules.Title, errors.ErrUnsupported)
	}
	return cfg, nil
}

// Restore wraps a listener whose socket already has keepalive settings (such as
// systemd's KeepAlive=, KeepAliveTimeSec=, KeepAliveIntervalSec= and
// KeepAliveProbes=): each connection gets the settings of the listening socket,
// which Go would overwrite. That includes keepalive being off, the default of a
// socket that was not configured.
func Restore(l net.Listener) (net.Listener, error) {
	held, err := socket.OS{}.Get(l)
	if errors.Is(err, socket.ErrNotTCP) {
		return l, nil
	}
	if err != nil {
		return nil, named(err)
	}
	if held.Known.Has(platform.KeepAlive) && !held.Enabled {
		return Wrap(l, sockopt.Config{Disabled: true})
	}
	return Wrap(l, sockopt.Config{}) // takes the timing from the listening socket
}
