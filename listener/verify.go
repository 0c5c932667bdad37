package listener

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A verifier compares the options of connections some time after accept with
// those that they had at accept. So it also finds changes of options that the
// Config leaves unset.
type verifier struct {
	after  time.Duration
	report *reporter

	mu      sync.Mutex
	waiting []waiting // ordered by due time
	sweepAt int       // number of waiting connections at which to look for closed ones
	running bool      // a timer is running
}

type waiting struct {
	conn  net.Conn
	holds platform.Settings
	due   time.Time
}

// minSweep is the smallest number of waiting connections that is swept.
const minSweep = 64

// later schedules the verification of conn.
func (v *verifier) later(conn net.Conn) {
	holds, err := sockopt.Get(conn)
	switch {
	case err == nil:
	case errors.Is(err, sockopt.ErrNotTCP), errors.Is(err, sockopt.ErrNoSocket), errors.Is(err, net.ErrClosed):
		return
	default:
		v.report.deliver(conn, fmt.Errorf("listener: the connection cannot be verified later: %w", err))
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sweep()
	v.waiting = append(v.waiting, waiting{conn, holds, time.Now().Add(v.after)})
	if !v.running {
		v.running = true
		time.AfterFunc(v.after, v.verify)
	}
}

// sweep removes closed connections. It runs only when twice as many are waiting
// as it left the last time, so that an accept pays for checking two on average.
func (v *verifier) sweep() {
	if len(v.waiting) < max(v.sweepAt, minSweep) {
		return
	}
	v.waiting = slices.DeleteFunc(v.waiting, func(w waiting) bool {
		_, err := socket.KindOf(w.conn)
		return errors.Is(err, net.ErrClosed)
	})
	v.sweepAt = 2 * len(v.waiting)
}

// verify verifies the connections that are due.
func (v *verifier) verify() {
	for _, w := range v.due() {
		err := sockopt.Verify(w.conn, sockopt.Of(w.holds))
		var mismatch *platform.MismatchError
		switch {
		case err == nil, errors.Is(err, net.ErrClosed):
			continue
		case errors.As(err, &mismatch):
			err = fmt.Errorf("overwritten within %v of accept: %w", v.after, err)
		default:
			err = fmt.Errorf("not verified %v after accept: %w", v.after, err)
		}
		go v.report.deliver(w.conn, err) // the user's function may take its time
	}
}

// due removes and returns the connections that are due, and starts the timer for the next
// one.
func (v *verifier) due() []waiting {
	v.mu.Lock()
	defer v.mu.Unlock()
	now, n := time.Now(), 0
	for n < len(v.waiting) && !v.waiting[n].due.After(now) {
		n++
	}
	due := slices.Clone(v.waiting[:n])
	clear(v.waiting[:n]) // the array is still referenced
	v.waiting = v.waiting[n:]
	v.running = len(v.waiting) > 0
	if v.running {
		time.AfterFunc(v.waiting[0].due.Sub(now), v.verify)
	}
	return due
}
