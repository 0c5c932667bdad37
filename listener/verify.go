package listener

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
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

	// mu is held by Accept too, so no system call is made under it, and no method of a
	// connection is called.
	mu       sync.Mutex
	waiting  []*waiting // ordered by due time
	sweepAt  int        // number of waiting connections at which to look for closed ones
	running  bool       // a timer is running
	sweeping bool       // sweep is running
}

type waiting struct {
	conn   net.Conn
	holds  platform.Settings
	due    time.Time
	closed bool // only for sweep
}

// minSweep is the smallest number of waiting connections that are swept.
const minSweep = 64

// later schedules the verification of conn.
func (v *verifier) later(conn net.Conn) {
	holds, err := socket.OS{}.Get(conn)
	switch {
	case err == nil:
	case errors.Is(err, socket.ErrNotTCP), errors.Is(err, socket.ErrNoSocket), errors.Is(err, net.ErrClosed):
		return
	default:
		v.report.deliver(conn, fmt.Errorf("the connection cannot be verified later: %w", err))
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting = append(v.waiting, &waiting{conn: conn, holds: holds, due: time.Now().Add(v.after)})
	if !v.running {
		v.running = true
		time.AfterFunc(v.after, v.verify)
	}
	if v.crowded() && !v.sweeping {
		v.sweeping = true
		go v.sweep()
	}
}

// crowded reports whether it is time to look for closed connections: if twice as many are
// waiting as the last sweep has left. So two connections are looked at for each accept, on
// average.
func (v *verifier) crowded() bool { return len(v.waiting) >= max(v.sweepAt, minSweep) }

// sweep removes closed connections. It runs beside Accept, as it looks at all that wait, and
// a connection's methods may take their time.
func (v *verifier) sweep() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.crowded() {
		all := slices.Clone(v.waiting)
		v.mu.Unlock()
		for _, w := range all {
			w.closed = socket.IsClosed(w.conn)
		}
		v.mu.Lock()
		v.waiting = slices.DeleteFunc(v.waiting, func(w *waiting) bool { return w.closed })
		v.sweepAt = 2 * len(v.waiting)
	}
	v.sweeping = false
}

// verify verifies the connections that are due.
func (v *verifier) verify() {
	for _, w := range v.due() {
		err := socket.OS{}.Verify(w.conn, kernel.Request(sockopt.FromSettings(w.holds)))
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
func (v *verifier) due() []*waiting {
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
