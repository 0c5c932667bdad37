package listener

import (
	"errors"
	"fmt"
	"net"

	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// goOverwrites is what package net sets on every connection accepted from a
// listener that it was not told to leave alone.
var goOverwrites = platform.SetOf(platform.KeepAlive, platform.Idle, platform.Interval, platform.Count)

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
// set on the listening socket itself.
//
// A listener that is not TCP is returned as it is. One that hides its socket
// (tls.NewListener) can be wrapped if Config sets idle, interval and count;
// otherwise wrap the listener inside it.
func (lc *ListenConfig) Wrap(l net.Listener) (net.Listener, error) {
	if l == nil {
		return nil, errors.New("listener: the net.Listener is nil")
	}
	asked, err := lc.setter(lc.Config)
	if err != nil {
		return nil, err
	}
	full := lc.Config
	switch kind, err := sockopt.KindOf(l); {
	case errors.Is(err, sockopt.ErrNoSocket):
		if full.Idle == 0 || full.Interval == 0 || full.Count == 0 {
			return nil, fmt.Errorf("listener: what keepalive %v leaves unset cannot be read from %T; wrap the listener inside it, or set idle, interval and count: %w", full, l, err)
		}
	case err != nil:
		return nil, fmt.Errorf("listener: %w", err)
	case kind == platform.NotTCP:
		return l, nil
	default:
		if err := onListeningSocket(asked, kind == platform.MultipathTCP).Set(l); err != nil {
			return nil, fmt.Errorf("listener: %w", err)
		}
		held, err := sockopt.Get(l)
		if err != nil {
			return nil, fmt.Errorf("listener: %w", err)
		}
		full = fillTiming(full, sockopt.Of(held))
	}
	setter, err := lc.setter(full)
	if err != nil {
		return nil, err
	}
	again := goOverwrites | platform.Current().NotInherited(setter.Options())
	return lc.accepting(l, setter, again, newReporter(lc.OnError)), nil
}

// fillTiming completes what Go overwrites with what the listening socket held.
func fillTiming(cfg, held sockopt.Config) sockopt.Config {
	if cfg.Idle == 0 {
		cfg.Idle = held.Idle
	}
	if cfg.Interval == 0 {
		cfg.Interval = held.Interval
	}
	if cfg.Count == 0 {
		cfg.Count = held.Count
	}
	return cfg
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
	cfg := sockopt.Of(held)
	cfg.UserTimeout = 0 // Go leaves it alone
	return Wrap(l, cfg)
}
