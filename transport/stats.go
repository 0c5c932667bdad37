package transport

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Stats are what happened to the connections of a Transport since it was made.
type Stats struct {
	Responses uint64 // requests that got one
	Opened    uint64 // connections made
	Reused    uint64 // requests sent on a connection that had served another one

	Drained uint64 // bytes of bodies that their readers left unread

	Dropped    uint64 // idle connections that the Transport closed
	PeerClosed uint64 // idle connections that the server closed first

	// LostRaces counts requests that were sent on a reused connection which the server
	// ended before it sent a byte: because the connection had been idle, or because the
	// server died; the two look the same. net/http repeats such a request where it may.
	LostRaces uint64
}

// String returns the numbers in one line, as a person wants to read them.
func (s Stats) String() string {
	return fmt.Sprintf("%d responses on %d connections, %d of them on a used one; %d bytes drained; idle connections closed: %d here, %d by the server; %d lost races",
		s.Responses, s.Opened, s.Reused, s.Drained, s.Dropped, s.PeerClosed, s.LostRaces)
}

type counts struct {
	responses, opened, reused, drained, dropped, peerClosed, lostRaces atomic.Uint64
}

// Stats returns what happened until now. The numbers are read one after the
// other.
func (t *Transport) Stats() Stats {
	c := &t.counts
	return Stats{
		Responses: c.responses.Load(), Opened: c.opened.Load(), Reused: c.reused.Load(),
		Drained: c.drained.Load(), Dropped: c.dropped.Load(), PeerClosed: c.peerClosed.Load(),
		LostRaces: c.lostRaces.Load(),
	}
}

// Events are called as things happen, by the goroutine to which it happens: they
// have to return soon. Any may be nil. A host is its scheme and name:
// "https://example.com".
type Events struct {
	// Drained: a Close read so much of a body; whole tells whether that was all,
	// so that the connection is kept.
	Drained func(host string, bytes int64, whole bool)
	// Learned: the server keeps idle connections for so long. How is "Keep-Alive
	// header" or "observed closes".
	Learned func(host string, timeout time.Duration, how string)
	// Dropped: the Transport closed a connection that was idle for so long.
	Dropped func(host string, idle time.Duration)
	// PeerClosed: the server closed a connection that was idle for so long.
	PeerClosed func(host string, idle time.Duration)
	// LostRace: see Stats. The connection had been idle for so long.
	LostRace func(host string, idle time.Duration)
}

func (e *Events) drained(c *call, n int64, whole bool) {
	if e.Drained != nil {
		e.Drained(c.url.Scheme+"://"+c.url.Host, n, whole)
	}
}

func (e *Events) learned(h *host, timeout time.Duration, how string) {
	if e.Learned != nil {
		e.Learned(h.name(), timeout, how)
	}
}

func (e *Events) dropped(h *host, idle time.Duration) {
	if e.Dropped != nil {
		e.Dropped(h.name(), idle)
	}
}

func (e *Events) peerClosed(h *host, idle time.Duration) {
	if e.PeerClosed != nil {
		e.PeerClosed(h.name(), idle)
	}
}

func (e *Events) lostRace(h *host, idle time.Duration) {
	if e.LostRace != nil {
		e.LostRace(h.name(), idle)
	}
}
