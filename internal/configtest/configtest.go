// Package configtest fits tests of a sockopt.Config to the system that they run on: what
// its table, or the running kernel, does not have is not asked for, or the test skips
// with the reason.
package configtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/internal/testenv"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Available is cfg without the options that this system lacks.
func Available(cfg sockopt.Config) sockopt.Config {
	for o, unset := range map[platform.Option]func(){
		platform.Idle:        func() { cfg.Idle = 0 },
		platform.Interval:    func() { cfg.Interval = 0 },
		platform.Count:       func() { cfg.Count = 0 },
		platform.UserTimeout: func() { cfg.UserTimeout = 0 },
	} {
		if socktest.Lacks(o) != "" {
			unset()
		}
	}
	return cfg
}

// options are what a socket with cfg is given.
func options(cfg sockopt.Config) []platform.Option {
	set := []platform.Option{platform.KeepAlive}
	for o, isSet := range map[platform.Option]bool{
		platform.Idle: cfg.Idle != 0, platform.Interval: cfg.Interval != 0,
		platform.Count: cfg.Count != 0, platform.UserTimeout: cfg.UserTimeout != 0,
	} {
		if isSet {
			set = append(set, o)
		}
	}
	return set
}

// Takes skips the test where this system's table says that it does not take cfg.
func Takes(t testing.TB, cfg sockopt.Config) {
	t.Helper()
	socktest.Need(t, options(cfg)...)
	table := platform.Current()
	if cfg.UserTimeout == sockopt.NoUserTimeout {
		testenv.Need(t, table.Spec(platform.UserTimeout).Zero == "off", "nobody knows how to switch the user timeout off on "+table.Title)
	}
	if s := table.Spec(platform.Interval); s != nil && s.Max != platform.UnknownLimit {
		testenv.Need(t, cfg.Interval <= time.Duration(s.Max)*s.Unit, table.Title+" takes no such interval")
	}
}

// NotInherited returns why connections do not simply inherit cfg from the socket that
// they were accepted from: this system's table says that some of it may not be set there,
// or does not come with the connection. "" means that they do.
func NotInherited(cfg sockopt.Config) string {
	table := platform.Current()
	if table.ArmsListener != platform.No {
		return fmt.Sprintf("nothing is set on listening sockets of %s: %s", table.Title, table.ListenerSource)
	}
	for _, o := range options(cfg) {
		if s := table.Spec(o); s == nil || s.Inherited != platform.Yes {
			return fmt.Sprintf("connections on %s do not inherit %v, or nobody knows", table.Title, o)
		}
	}
	return ""
}

// At is where a fake kernel finds an option of this system.
func At(o platform.Option) kerneltest.At {
	h := socktest.Of(o)
	return kerneltest.At{h.Level, h.Number}
}

// Calling is how errors name the call that asks for one of [socktest.Values]:
// "TCP_KEEPIDLE=111".
func Calling(o platform.Option, value int) string {
	return fmt.Sprintf("%s=%d", socktest.Of(o).Symbol, socktest.Native(o, value))
}

// Differing is how errors say that an option, of which one of [socktest.Values] was
// asked for, reads something else.
func Differing(o platform.Option, value, holds int) string {
	return fmt.Sprintf("%s: asked for %d, the kernel holds %d", socktest.Of(o).Symbol, socktest.Native(o, value), holds)
}
