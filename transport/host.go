package transport

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A hostKey is where connections lead: a scheme and a host with its port, if any.
type hostKey struct{ scheme, host string }

// A host is what is remembered about the servers behind one name: there may be
// several that differ, and which of them a new connection reaches is not known.
// What a server says about itself is not here: it belongs to its connection.
type host struct {
	t   *Transport
	key hostKey

	silent sightings // closes by servers that announce nothing
	early  sightings // closes by servers that had announced a longer time

	header atomic.Int64 // what was last announced, in ns, plus 1: for Events
}

func (h *host) name() string {
	name := h.key.host
	if h.key.scheme == "http" {
		name = strings.TrimSuffix(name, ":80")
	}
	return h.key.scheme + "://" + name
}

// sightings are closes of idle connections. The shortest idle time is taken for
// the timeout of all connections that it may be the timeout of.
type sightings struct {
	least atomic.Int64 // in ns; 0: there is none
	until atomic.Int64 // when it is forgotten, see now

	mu            sync.Mutex
	recent        []time.Duration // those of the last moment
	before, still int64           // least and until before them
}

const (
	// How long a close counts at most: a connection that is dropped earlier cannot
	// tell whether the server would still close it then.
	observedFor = 10 * time.Minute
	// And at least, or a hundred times the idle time: what was taken for a short
	// timeout, and was a restart, does not cost much for long.
	observedAtLeast = time.Minute
	// No server has so short a timeout: it restarts, or is broken.
	shortestTimeout = 20 * time.Millisecond
	// Closes within a moment may be those of a restart.
	moment = 200 * time.Millisecond
	// They are if there are so many idle times, each more than twice the one before.
	restart = 3
)

// shortest returns the idle time at which connections are closed, 0 if it is not
// known.
func (s *sightings) shortest() time.Duration {
	least := s.least.Load()
	if least == 0 || s.until.Load() < now() {
		return 0
	}
	return time.Duration(least)
}

// observe takes one. It counts at once, and is taken back if it turns out to have
// been one of a restart, see different.
func (s *sightings) observe(h *host, idle time.Duration) {
	if idle < shortestTimeout {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	least := s.shortest()
	if len(s.recent) == 0 {
		s.before, s.still = int64(least), s.until.Load()
		time.AfterFunc(moment, func() { s.settle(h) })
	}
	if len(s.recent) < 16 {
		s.recent = append(s.recent, idle)
	}
	if least > 0 && idle > least && !agree(idle, least) {
		return
	}
	if least == 0 || idle < least {
		least = idle
	}
	s.least.Store(int64(least))
	s.until.Store(now() + int64(min(max(100*least, observedAtLeast), observedFor)))
}

// settle decides what the closes of a moment were.
func (s *sightings) settle(h *host) {
	s.mu.Lock()
	recent, before := s.recent, s.before
	s.recent = nil
	if different(recent) >= restart {
		s.least.Store(s.before)
		s.until.Store(s.still)
		s.mu.Unlock()
		return
	}
	least := s.least.Load()
	s.mu.Unlock()
	if least != before {
		h.t.events.learned(h, time.Duration(least), "observed closes")
	}
}

// different counts the idle times, each of which is more than twice the one before.
// Less may be one timeout on a busy machine: a timeout that is taken for a restart
// loses requests, while a restart that is taken for a timeout costs connections.
func different(times []time.Duration) (n int) {
	var last time.Duration
	for _, idle := range slices.Sorted(slices.Values(times)) {
		if n == 0 || idle > 2*last {
			n, last = n+1, idle
		}
	}
	return n
}

// agree reports whether two idle times are of one timeout: they differ by a tenth or
// 50 ms at most.
func agree(a, b time.Duration) bool {
	return max(a, b)-min(a, b) <= max(min(a, b)/10, 50*time.Millisecond)
}

// before returns how long a connection may be idle that the server closes after
// timeout.
func (t *Transport) before(timeout time.Duration) time.Duration {
	return max(timeout-t.margin, timeout/2, 1)
}
