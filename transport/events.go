package transport

import (
	"sync"
	"time"
)

// Events are functions that a Transport calls after something happened to a connection.
// Each may be nil. They are called one at a time, in the order in which things happened,
// by a goroutine of their own: no request waits for them, and they may use the Transport.
// Events that happen faster than the functions return are kept until their turn comes.
//
// host is a scheme and a name in lower case, with the port unless it is that of the
// scheme: "https://example.com", "http://[::1]:8080". If a proxy forwards requests for
// http, their host is the proxy, as that is where the connection ends:
// "http://proxy.example:3128". A proxy that makes tunnels, SOCKS or CONNECT, is no host.
type Events struct {
	// Drained is called after Close has read the rest of a body: so many bytes. whole
	// is whether that was all, so that the connection is kept.
	Drained func(host string, bytes int64, whole bool)
	// Learned is called when the Transport has learned for how long the server keeps
	// idle connections. how is "Keep-Alive header" or "observed closes".
	Learned func(host string, timeout time.Duration, how string)
	// Dropped is called when the Transport has closed an idle connection.
	Dropped func(host string, idle time.Duration)
	// PeerClosed is called when the server has closed an idle connection.
	PeerClosed func(host string, idle time.Duration)
	// LostRace is called for each request that Stats.LostRaces counts. The connection
	// had been idle for so long before it.
	LostRace func(host string, idle time.Duration)
}

// An eventQueue calls the functions of Events. Things happen while net/http, or this
// package, holds locks that a request needs: a connection is closed by the pool that it
// is in. So nothing is called there.
type eventQueue struct {
	Events

	mu      sync.Mutex
	waiting []func()
	running bool // there is a goroutine that calls them
}

func (q *eventQueue) add(event func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, event)
	if !q.running {
		q.running = true
		go q.run()
	}
}

func (q *eventQueue) run() {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.waiting, q.running = nil, false
			q.mu.Unlock()
			return
		}
		event := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		event()
	}
}

func (q *eventQueue) drained(c *call, n int64, whole bool) {
	if q.Drained == nil {
		return
	}
	key := hostKey{c.url.Scheme, canonicalHost(c.url)}
	if c.conn != nil {
		key = c.conn.host.Load().key
	}
	q.add(func() { q.Drained(key.name(), n, whole) })
}

func (q *eventQueue) learned(h *host, timeout time.Duration, how string) {
	if q.Learned != nil {
		q.add(func() { q.Learned(h.key.name(), timeout, how) })
	}
}

func (q *eventQueue) dropped(h *host, idle time.Duration) { q.idled(q.Dropped, h, idle) }

func (q *eventQueue) peerClosed(h *host, idle time.Duration) { q.idled(q.PeerClosed, h, idle) }

func (q *eventQueue) lostRace(h *host, idle time.Duration) { q.idled(q.LostRace, h, idle) }

func (q *eventQueue) idled(f func(string, time.Duration), h *host, idle time.Duration) {
	if f != nil {
		q.add(func() { f(h.key.name(), idle) })
	}
}
