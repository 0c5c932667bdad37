// Package timing computes when probes leave and when a dead peer is noticed:
// from the settings of a socket, and, on Linux, from how late the timers of the
// kernel may be and how often it sends data again.
package timing

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
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
// connection with these settings is given up if the peer is gone, on the
// operating system that t describes: idle + n*interval, where n is the count; on
// Linux, with a user timeout, n is instead what it takes to reach the user timeout,
// at least 1. Where a setting is not known, the error wraps [ErrUnknown]. If
// keepalive is off it is [ErrNeverDetected].
//
// Source: tcp_keepalive_timer in net/ipv4/tcp_timer.c.
func DetectionTime(t *kernel.Rules, s platform.Settings) (time.Duration, error) {
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
	need := kernel.SetOf(platform.Idle, platform.Interval)
	if t.UserTimeoutReplacesCount && s.Known.Has(platform.UserTimeout) && s.UserTimeout > 0 {
		n = 0
	} else {
		need |= kernel.SetOf(platform.Count)
	}
	for _, o := range kernel.Options() {
		if need.Has(o) && !s.Known.Has(o) {
			return 0, fmt.Errorf("detection time: %s is not set and the default of %s is %w", o, t.Title, ErrUnknown)
		}
	}
	if n == 0 {
		n = ProbesUntil(s.UserTimeout, s.Idle, s.Interval)
	}
	return AddMul(s.Idle, n, s.Interval), nil
}

// ProbesUntil is the number of probes that Linux sends before it gives up when
// a user timeout is set: it looks when a probe is due, and wants at least one
// unanswered.
func ProbesUntil(userTimeout, idle, interval time.Duration) int64 {
	if userTimeout <= idle || interval <= 0 {
		return 1
	}
	n := (userTimeout - idle) / interval
	if (userTimeout-idle)%interval > 0 {
		n++
	}
	return int64(n)
}

// AddMul returns a + n*b, or the longest duration if that is too much.
func AddMul(a time.Duration, n int64, b time.Duration) time.Duration {
	if b > 0 && n > (math.MaxInt64-int64(a))/int64(b) {
		return math.MaxInt64
	}
	return a + time.Duration(n)*b
}
