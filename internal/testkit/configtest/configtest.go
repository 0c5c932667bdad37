// Package configtest adapts tests of a sockopt.Config to the system that they run on:
// options that its table or the running kernel does not have are left out, or the test
// skips with the reason. It is not part of package testkit, which tests inside sockopt
// import.
package configtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Available returns cfg without the options that this system lacks.
func Available(cfg sockopt.Config) sockopt.Config {
	for o, unset := range map[platform.Option]func(){
		platform.Idle:        func() { cfg.Idle = 0 },
		platform.Interval:    func() { cfg.Interval = 0 },
		platform.Count:       func() { cfg.Count = 0 },
		platform.UserTimeout: func() { cfg.UserTimeout = 0 },
	} {
		if testkit.Lacks(o) != "" {
			unset()
		}
	}
	return cfg
}

// options returns the options that cfg sets.
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

// Takes skips the test if the table of this system does not accept cfg.
func Takes(t testing.TB, cfg sockopt.Config) {
	t.Helper()
	testkit.NeedOptions(t, options(cfg)...)
	table := platform.Current()
	if cfg.UserTimeout == sockopt.NoUserTimeout {
		testkit.Need(t, table.Spec(platform.UserTimeout).Zero == "off", "it is not known how to switch the user timeout off on "+table.Title)
	}
	if s := table.Spec(platform.Interval); s != nil && s.Max != platform.UnknownLimit {
		testkit.Need(t, cfg.Interval <= time.Duration(s.Max)*s.Unit, table.Title+" takes no such interval")
	}
}

// NotInherited returns the reason why accepted connections do not inherit cfg from the
// listening socket: according to this system's table, some options may not be set there or
// are not inherited. "" means that they inherit all of cfg.
func NotInherited(cfg sockopt.Config) string {
	table := platform.Current()
	if table.ArmsListener != platform.No {
		return fmt.Sprintf("nothing is set on listening sockets of %s: %s", table.Title, table.ListenerSource)
	}
	for _, o := range options(cfg) {
		if s := table.Spec(o); s == nil || s.Inherited != platform.Yes {
			return fmt.Sprintf("connections on %s do not inherit %v, or it is not known whether they do", table.Title, o)
		}
	}
	return ""
}

// At returns the key of an option of this system in a fake kernel.
func At(o platform.Option) kerneltest.At {
	h := testkit.Of(o)
	return kerneltest.At{h.Level, h.Number}
}

// Calling returns the text by which errors name the call that sets one of
// [testkit.Values]: "TCP_KEEPIDLE=111".
func Calling(o platform.Option, value int) string {
	return fmt.Sprintf("%s=%d", testkit.Of(o).Symbol, testkit.Native(o, value))
}

// Differing returns the text of the error for an option that reads back as another
// value than the given one of [testkit.Values].
func Differing(o platform.Option, value, holds int) string {
	return fmt.Sprintf("%s: asked for %d, the kernel holds %d", testkit.Of(o).Symbol, testkit.Native(o, value), holds)
}
