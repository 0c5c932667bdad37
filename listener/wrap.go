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

// goOverwrites is what package net sets on every connection accepted from a
// listener that it was not told to leave alone.
var goOverwrites = kernel.SetOf(platform.KeepAlive, platform.Idle, platform.Interval, platform.Count)

// Wrap gives the connections of a listener that was made elsewhere the
// keepalive of cfg: see [ListenConfig.Wrap], whose other fields are zero here.
func Wrap(l net.Listener, cfg sockopt.Config) (net.Listener, error) {
	lc := ListenConfig{Config: cfg}
	return lc.Wrap(l)
}

// Wrap gives the connections of a listener that was made elsewhere (net.Listen,
// net.FileListener, a systemd socket) the keepalive of lc.Config. Base and
// MultipathTCP play no part.
//
// Go sets 15 s, 15 s, 9 on every connection of such a listener. So idle,
// interval and count are set again after each accept; where Config leaves one
// of them unset, it becomes what the listening socket holds now. Config is also
// set on the listening socket itself where that is known to be harmless (see
// [platform.Table.ArmsListener]).
//
// The result has the SyscallConn method of l, and, if l has all three, SetDeadline
// and File. A listener that is not TCP is returned as it is. One that hides its socket
// (tls.NewListener) can be wrapped if Config sets idle, interval and count;
// otherwise wrap the listener inside it.
func (lc *ListenConfig) Wrap(l net.Listener) (net.Listener, error) {
	if l == nil || socket.IsNilPointer(l) {
		return nil, errors.New("listener: the net.Listener is nil")
	}
	asked, err := lc.setter(lc.Config)
	if err != nil {
		return nil, err
	}
	report := newReporter(lc.OnError)
	kind, err := socket.KindOf(l)
	switch {
	case errors.Is(err, sockopt.ErrNoSocket):
		if c := lc.Config; !c.Disabled && (c.Idle == 0 || c.Interval == 0 || c.Count == 0) {
			return nil, fmt.Errorf("listener: what keepalive %v leaves unset cannot be read from %T; wrap the listener inside it, or set idle, interval and count: %w", c, l, err)
		}
		return lc.accepting(l, asked, asked.Options(), report), nil
	case err != nil:
		return nil, fmt.Errorf("listener: %w", err)
	case kind == kernel.NotTCP:
		return l, nil
	}
	held, err := sockopt.Get(l)
	if err != nil {
		return nil, fmt.Errorf("listener: %w", err)
	}
	full, err := fillTiming(lc.Config, held)
	if err != nil {
		return nil, err
	}
	setter, err := lc.setter(full)
	switch { // a sysctl may hold what a socket refuses
	case err != nil && full.Disabled:
		setter = asked
	case err != nil:
		return nil, fmt.Errorf("listener: what the listening socket holds cannot be set on a connection, so set it: %w", err)
	}
	if before := lc.onListeningSocket(asked, kind == kernel.MultipathTCP); before != nil {
		if err := before.Set(l); err != nil {
			return nil, fmt.Errorf("listener: %w", err)
		}
	}
	again := goOverwrites | lc.rules().NotInherited(setter.Options())
	return lc.accepting(l, setter, again, report), nil
}

// fillTiming completes what Go overwrites with what the listening socket holds.
// While keepalive is off, timing has no effect and may stay unknown.
func fillTiming(cfg sockopt.Config, held platform.Settings) (sockopt.Config, error) {
	holds := sockopt.Of(held)
	var unknown platform.OptionSet
	fill := func(o platform.Option, unset bool, take func()) {
		switch {
		case !unset || platform.Current().Spec(o) == nil: // or Go cannot overwrite it either
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
		return cfg, fmt.Errorf("listener: keepalive %v leaves %v unset, Go overwrites that after accept, and %s cannot read what the listening socket holds; set it: %w",
			cfg, unknown, platform.Current().Title, errors.ErrUnsupported)
	}
	return cfg, nil
}

// Restore wraps a listener whose socket somebody else has already given its
// keepalive (systemd's KeepAlive=, KeepAliveTimeSec=, KeepAliveIntervalSec= and
// KeepAliveProbes=): its connections get back what the listening socket holds
// and Go overwrites. That includes keepalive being off, which is the default of
// a socket that nobody has configured.
func Restore(l net.Listener) (net.Listener, error) {
	held, err := sockopt.Get(l)
	if errors.Is(err, sockopt.ErrNotTCP) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listener: %w", err)
	}
	if held.Known.Has(platform.KeepAlive) && !held.Enabled {
		return Wrap(l, sockopt.Config{Disabled: true})
	}
	return Wrap(l, sockopt.Config{}) // takes the timing from the listening socket
}
