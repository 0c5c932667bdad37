package sockopt

import (
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
)

var (
	// ErrUnknown means that something cannot be computed because a value is not
	// known; the text names it.
	ErrUnknown = timing.ErrUnknown

	// ErrNeverDetected means that keepalive is off: nobody notices that the peer
	// of an idle connection is gone.
	ErrNeverDetected = timing.ErrNeverDetected
)

// DetectionTime returns how long after the last segment received an idle
// connection with this Config is given up if the peer is gone, on this
// operating system:
//
//	idle + n*interval
//
// where n is the count; on Linux, with a user timeout, n is instead what it
// takes to reach the user timeout, at least 1. What c leaves unset is the
// system's default; where that is not known, the error wraps [ErrUnknown]. If
// keepalive is off it is [ErrNeverDetected].
//
// Kernel timers are late, on Linux by up to 1/8 of the time they run for: the
// peer may be given up that much later, or, where a user timeout is reached
// meanwhile, one probe earlier. While data is in flight no probe is sent and the
// user timeout alone decides (Linux: without one net.ipv4.tcp_retries2, about 15
// minutes by default).
// Package align accounts for all of that.
//
// Source: tcp_keepalive_timer in net/ipv4/tcp_timer.c.
func (c Config) DetectionTime() (time.Duration, error) {
	effective, err := c.effective()
	if err != nil {
		return 0, err
	}
	return timing.DetectionTime(kernel.Current(), effective)
}

// effective returns what a new socket with this Config holds.
func (c Config) effective() (platform.Settings, error) {
	if err := c.Validate(); err != nil {
		return platform.Settings{}, err
	}
	defaults, _ := kernel.SystemDefaults() // what is missing may be what c says itself
	return kernel.Current().Effect(kernel.Request(c), defaults), nil
}

// MatchUserTimeout returns c with the user timeout set to idle +
// count*interval, so that data in flight and silence are given the same time
// and, on Linux, the count keeps its meaning. What c leaves unset is the
// system's default; where that is not known, the error wraps [ErrUnknown]. Where
// the sum is more than this system takes, it is that of [Config.Validate]. On an
// error c is returned as it is.
func (c Config) MatchUserTimeout() (Config, error) {
	probing := c
	probing.UserTimeout, probing.Disabled = 0, false
	effective, err := probing.effective()
	if err != nil {
		return c, err
	}
	effective.UserTimeout = 0
	d, err := timing.DetectionTime(kernel.Current(), effective)
	if err != nil {
		return c, err
	}
	matched := c
	matched.UserTimeout = d
	if err := matched.Validate(); err != nil {
		return c, err
	}
	return matched, nil
}
