package sockopt

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

var (
	// ErrUnknown means that something cannot be computed because a value is not
	// known; the text names it.
	ErrUnknown = errors.New("unknown")

	// ErrNeverDetected means that keepalive is off: nobody notices that the peer
	// of an idle connection is gone.
	ErrNeverDetected = errors.New("keepalive is off: a dead peer of an idle connection is never noticed")
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
// [DetectionBounds] accounts for all of that.
//
// Source: tcp_keepalive_timer in net/ipv4/tcp_timer.c.
func (c Config) DetectionTime() (time.Duration, error) {
	effective, err := c.effective()
	if err != nil {
		return 0, err
	}
	return DetectionTime(platform.Current(), effective)
}

// effective returns what a new socket with this Config holds.
func (c Config) effective() (Settings, error) {
	if err := c.Validate(); err != nil {
		return Settings{}, err
	}
	defaults, _ := platform.SystemDefaults() // what is missing may be what c says itself
	return platform.Current().Effect(platform.Request(c), defaults), nil
}

// DetectionTime is [Config.DetectionTime] for the settings of a socket, on the
// operating system that t describes.
func DetectionTime(t *platform.Table, s Settings) (time.Duration, error) {
	if !s.Known.Has(platform.KeepAlive) {
		return 0, fmt.Errorf("detection time: whether keepalive is on is %w", ErrUnknown)
	}
	if !s.Enabled {
		if t.AlwaysProbes != "" {
			return 0, fmt.Errorf("detection time: keepalive is off, but %s may probe all the same (sysctl %s): %w", t.Title, t.AlwaysProbes, ErrUnknown)
		}
		return 0, ErrNeverDetected
	}
	n := int64(s.Count)
	need := platform.SetOf(platform.Idle, platform.Interval)
	if t.UserTimeoutReplacesCount && s.Known.Has(platform.UserTimeout) && s.UserTimeout > 0 {
		n = 0
	} else {
		need |= platform.SetOf(platform.Count)
	}
	for _, o := range platform.Options() {
		if need.Has(o) && !s.Known.Has(o) {
			return 0, fmt.Errorf("detection time: %s is not set and the default of %s is %w", o, t.Title, ErrUnknown)
		}
	}
	if n == 0 {
		n = probesUntil(s.UserTimeout, s.Idle, s.Interval)
	}
	return addMul(s.Idle, n, s.Interval), nil
}

// probesUntil is the number of probes that Linux sends before it gives up when
// a user timeout is set: it looks when a probe is due, and wants at least one
// unanswered.
func probesUntil(userTimeout, idle, interval time.Duration) int64 {
	if userTimeout <= idle || interval <= 0 {
		return 1
	}
	n := (userTimeout - idle) / interval
	if (userTimeout-idle)%interval > 0 {
		n++
	}
	return int64(n)
}

// addMul returns a + n*b, or the longest duration if that is too much.
func addMul(a time.Duration, n int64, b time.Duration) time.Duration {
	if b > 0 && n > (math.MaxInt64-int64(a))/int64(b) {
		return math.MaxInt64
	}
	return a + time.Duration(n)*b
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
	d, err := DetectionTime(platform.Current(), effective)
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
