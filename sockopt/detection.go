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

	// ErrNeverDetected means that keepalive is off, so that the death of an idle
	// connection's peer is never noticed.
	ErrNeverDetected = timing.ErrNeverDetected
)

// DetectionTime returns how long after the last segment received this operating
// system gives up an idle connection with this Config whose peer is gone:
//
//	idle + n*interval
//
// where n is the count. On Linux, with a user timeout, n is instead the number
// of intervals needed to reach the user timeout, at least 1. Fields that c
// leaves unset have the system's default; if a default is not known, the error
// wraps [ErrUnknown]. If keepalive is off, the error wraps [ErrNeverDetected].
//
// Kernel timers are late, on Linux by up to 1/8 of the time they run for. So the
// peer may be given up that much later or, if the user timeout is reached in the
// meantime, one probe earlier. While data is in flight no probe is sent, and the
// user timeout alone decides (Linux: without a user timeout
// net.ipv4.tcp_retries2, about 15 minutes by default). Package align accounts
// for all of that.
//
// Source: tcp_keepalive_timer in net/ipv4/tcp_timer.c.
func (c Config) DetectionTime() (time.Duration, error) {
	effective, err := c.effective()
	if err != nil {
		return 0, err
	}
	d, err := timing.DetectionTime(kernel.Limits(), effective)
	return d, named(err)
}

// effective returns the settings of a new socket with this Config.
func (c Config) effective() (platform.Settings, error) {
	if err := c.Validate(); err != nil {
		return platform.Settings{}, err
	}
	defaults, _ := kernel.SystemDefaults() // c may set what is unknown
	return kernel.Limits().Effect(kernel.Request(c), defaults), nil
}

// MatchUserTimeout returns c with the user timeout set to idle + count*interval.
// A dead peer is then noticed after the same time whether the connection is idle
// or data is in flight and, on Linux, the count keeps its meaning. Fields that c
// leaves unset have the system's default; if a default is not known, the error
// wraps [ErrUnknown]. If the sum is more than this system accepts, the error is
// that of [Config.Validate]. On an error c is returned unchanged.
func (c Config) MatchUserTimeout() (Config, error) {
	probing := c
	probing.UserTimeout, probing.Disabled = 0, false
	effective, err := probing.effective()
	if err != nil {
		return c, err
	}
	effective.UserTimeout = 0
	d, err := timing.DetectionTime(kernel.Limits(), effective)
	if err != nil {
		return c, named(err)
	}
	matched := c
	matched.UserTimeout = d
	if err := matched.Validate(); err != nil {
		return c, err
	}
	return matched, nil
}
