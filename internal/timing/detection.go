// Package timing computes when probes are sent and when a dead peer is noticed:
// from the settings of a socket and, on Linux, from the lateness of kernel
// timers and the limits on retransmission.
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

	// ErrNeverDetected means that keepalive is off, so that the death of an idle
	// connection's peer is never noticed.
	ErrNeverDetected = errors.New("keepalive is off: a dead peer of an idle connection is never noticed")
)

// DetectionTime returns how long after the last segment received the operating system of t
// gives up an idle connection with these settings whose peer is gone: idle + n*interval,
// where n is the count. On Linux, with a user timeout, n is instead the number of
// intervals needed to reach the user timeout, at least 1. If a setting is not known, the
// error wraps [ErrUnknown]. If keepalive is off, the error is [ErrNeverDetected].
//
// Source: tcp_keepalive_timer in net/ipv4/tcp_timer.c.
func DetectionTime(t *kernel.Rules, s platform.Settings) (time.Duration, error) {
	if !s.Known.Has(platform.KeepAlive) {
		return 0, fmt.Errorf("detection time: whether keepalive is on is %w", ErrUnknown)
	}
	if !s.Enabled {
		if t.AlwaysProbes != "" {
			return 0, fmt.Errorf("detection time: keepalive is off, but %s may still send probes (sysctl %s): %w", t.Title, t.AlwaysProbes, ErrUnknown)
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

// ProbesUntil returns the number of probes that Linux sends before it gives up
// if a user timeout is set: it checks the timeout when a probe is due, and
// requires at least one unanswered probe.
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

// AddMul returns a + n*b, or the longest duration on overflow.
func AddMul(a time.Duration, n int64, b time.Duration) time.Duration {
	if b > 0 && n > (math.MaxInt64-int64(a))/int64(b) {
		return math.MaxInt64
	}
	return a + time.Duration(n)*b
}
