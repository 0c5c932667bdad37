package transport

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A hostKey names what connections lead to: a scheme, and a host with its port.
type hostKey struct{ scheme, host string }

// A host is what a Transport remembers about the servers behind one name. They may
// differ, and nobody knows which one a new connection reaches. So what a server says
// about itself is not kept here, but with its connection.
type host struct {
	t   *Transport
	key hostKey

	silent sightings // closes by servers that announce nothing
	early  sightings // closes by servers that had announced a longer time

	header atomic.Int64 // what was last announced, in ns, plus 1: for Events
}

// name is what Events call the host.
func (k hostKey) name() string {
	return k.scheme + "://" + strings.TrimSuffix(k.host, ":"+defaultPort[k.scheme])
}

// sightings are closes of idle connections that were seen. The shortest idle time is
// taken for the timeout of every connection whose timeout it may be.
type sightings struct {
	least atomic.Int64 // the shortest idle time in ns; 0: there is none
	until atomic.Int64 // when least is to be tested, see now and witnesses

	mu     sync.Mutex
	recent []time.Duration // idle times of the last moment
	before struct {        // recent, to take that back
		least, until int64
		history
	}

	watched map[*conn]struct{} // the witnesses
	later   int                // how many of them were closed later than after least
	next    time.Duration      // the shortest of their idle times
	history
}

// A history is what earlier tests have led to.
type history struct {
	replaced time.Duration // what least was before witnesses showed a longer time
	wrong    int           // how often that was wrong: some servers still close so early
}

const (
	// doubtAfter is how long a close counts at most, before it is tested.
	doubtAfter = 10 * time.Minute
	// observedAtLeast is how long it counts at least. It counts for a hundred times the
	// idle time, so that a restart which was taken for a short timeout is found out soon.
	observedAtLeast = time.Minute
	// testFor is how long a test takes if net/http has no IdleConnTimeout.
	testFor = 10 * time.Minute
	// shortestTimeout is shorter than the timeout of any server: a server that closes
	// sooner restarts, or is broken.
	shortestTimeout = 20 * time.Millisecond
	// moment is the time within which the closes of a restart come.
	moment = 200 * time.Millisecond
	// restart is how many idle times, each more than twice the one before, make closes
	// within a moment those of a restart.
	restart = 3
)

// shortest returns the idle time at which connections are closed, 0 if it is not
// known.
func (s *sightings) shortest() time.Duration { return time.Duration(s.least.Load()) }

// observe adds a close. It counts at once, and is taken back if it turns out to belong to
// a restart; see different.
func (s *sightings) observe(h *host, idle time.Duration) {
	if idle < shortestTimeout {
		return
	}
	s.mu.Lock()
	least := s.shortest()
	if len(s.recent) == 0 {
		s.before.least, s.before.until, s.before.history = int64(least), s.until.Load(), s.history
		time.AfterFunc(moment, func() { s.settle(h) })
	}
	if len(s.recent) < 16 {
		s.recent = append(s.recent, idle)
	}
	var dismissed map[*conn]struct{}
	if least == 0 || idle < least || agree(idle, least) {
		if least == 0 || idle < least {
			s.least.Store(int64(idle))
		}
		dismissed = s.hold(h)
	}
	s.mu.Unlock()
	closeAll(dismissed)
}

// settle decides whether the closes of a moment belong to a restart. A test that they
// ended begins anew: its witnesses are closed.
func (s *sightings) settle(h *host) {
	s.mu.Lock()
	recent, before := s.recent, s.before
	s.recent = nil
	if different(recent) >= restart {
		s.least.Store(before.least)
		s.until.Store(before.until)
		s.history = before.history
		s.mu.Unlock()
		return
	}
	least := s.least.Load()
	s.mu.Unlock()
	if least != before.least {
		h.t.events.learned(h, time.Duration(least), "observed closes")
	}
}

// different counts idle times of which each is more than twice the one before. Times
// that differ less may show one timeout on a busy machine. To take a timeout for a restart
// would lose requests; to take a restart for a timeout only costs connections.
func different(times []time.Duration) (n int) {
	var last time.Duration
	for _, idle := range slices.Sorted(slices.Values(times)) {
		if n == 0 || idle > 2*last {
			n, last = n+1, idle
		}
	}
	return n
}

// agree reports whether two idle times can show one timeout: they differ by at most a
// tenth or 50 ms.
func agree(a, b time.Duration) bool {
	return max(a, b)-min(a, b) <= max(min(a, b)/10, 50*time.Millisecond)
}

// before returns how long a connection may be idle if its server closes it after timeout.
func (t *Transport) before(timeout time.Duration) time.Duration {
	return max(timeout-t.margin, timeout/2, 1)
}
