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
	until atomic.Int64 // when least is doubted, see now

	mu     sync.Mutex
	recent []time.Duration // idle times of the last moment
	before struct {        // recent, to take that back
		least, until int64
		doubt
	}
	doubt
}

// A doubt is what speaks against the shortest idle time, since it was seen last.
//
// What a close has shown is not true for ever, but nobody would notice: connections are
// dropped earlier. To forget it after a while would cost a POST each time. So after a while
// connections stay for longer, and are used by requests that net/http repeats if they fail
// because the connection has ended. Other requests get another connection.
//
// There have to be several such requests in a row that did not fail, as there may be several
// servers behind one name, of which only one has the short timeout.
type doubt struct {
	later    int           // requests that were served although the connection had been idle for longer
	next     time.Duration // the shortest of these idle times
	replaced time.Duration // what least was before such requests replaced it
	wrong    int           // how often that was wrong: some servers still close so early
}

const (
	// enough is how many requests have to be served to replace the shortest idle time.
	enough = 16
	// doubtAfter is how long a close counts at most, before it is doubted.
	doubtAfter = 10 * time.Minute
	// observedAtLeast is how long it counts at least. It counts for a hundred times the
	// idle time, so that a restart which was taken for a short timeout is found out soon.
	observedAtLeast = time.Minute
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
	defer s.mu.Unlock()
	least := s.shortest()
	if len(s.recent) == 0 {
		s.before.least, s.before.until, s.before.doubt = int64(least), s.until.Load(), s.doubt
		time.AfterFunc(moment, func() { s.settle(h) })
	}
	if len(s.recent) < 16 {
		s.recent = append(s.recent, idle)
	}
	if least == 0 || idle < least || agree(idle, least) {
		if least == 0 || idle < least {
			s.least.Store(int64(idle))
		}
		s.hold(h)
	}
}

// hold lets the shortest idle time count for a while. The caller has the lock.
func (s *sightings) hold(h *host) {
	least := s.shortest()
	if s.replaced > 0 && (least <= s.replaced || agree(least, s.replaced)) {
		s.replaced = 0 // it should not have been
		s.wrong = min(s.wrong+1, 16)
	}
	while := min(max(100*least, observedAtLeast), h.t.doubtAfter) << s.wrong
	s.until.Store(now() + int64(while))
	s.later = 0
}

// doubted reports whether connections may stay idle for longer, to see what happens.
func (s *sightings) doubted() bool { return s.least.Load() != 0 && s.until.Load() <= now() }

// survived notes that a request was served by a connection that had been idle for so long.
func (s *sightings) survived(h *host, idle time.Duration) {
	s.mu.Lock()
	least := s.shortest()
	if !s.doubted() || idle <= least || agree(idle, least) {
		s.mu.Unlock()
		return
	}
	if s.later++; s.later == 1 || idle < s.next {
		s.next = idle
	}
	replaced, next := s.later == enough, s.next
	if replaced {
		s.replaced = least
		s.least.Store(int64(next))
		s.hold(h)
	}
	s.mu.Unlock()
	if replaced {
		h.t.events.learned(h, next, "observed closes")
	}
}

// settle decides whether the closes of a moment belong to a restart.
func (s *sightings) settle(h *host) {
	s.mu.Lock()
	recent, before := s.recent, s.before
	s.recent = nil
	if different(recent) >= restart {
		s.least.Store(before.least)
		s.until.Store(before.until)
		s.doubt = before.doubt
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
