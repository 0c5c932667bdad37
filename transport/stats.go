package transport

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Stats counts what has happened to the connections of a Transport since it was made.
type Stats struct {
	Responses uint64 // requests that got a response
	Opened    uint64 // connections that were made
	Reused    uint64 // requests that were sent on a connection after another request

	Drained uint64 // bytes of bodies that Close read because the caller had not

	Dropped    uint64 // idle connections that the Transport closed
	PeerClosed uint64 // idle connections that the server closed first

	// LostRaces counts requests that were sent on a reused connection which the server
	// ended before it sent a byte. The server may have closed the connection because it
	// was idle, or it may have died: the two look the same. net/http sends such a
	// request again if it may.
	LostRaces uint64
}

// String returns the numbers in one line, for people.
func (s Stats) String() string {
	return fmt.Sprintf("%d responses on %d connections, which were reused %d times; %d bytes drained; idle connections closed: %d here, %d by the server; %d lost races",
		s.Responses, s.Opened, s.Reused, s.Drained, s.Dropped, s.PeerClosed, s.LostRaces)
}

type counts struct {
	responses, opened, reused, drained, dropped, peerClosed, lostRaces atomic.Uint64
}

// Stats returns what has happened until now. It reads the numbers one after the other,
// so they may be of slightly different moments.
func (t *Transport) Stats() Stats {
	c := &t.counts
	return Stats{
		Responses: c.responses.Load(), Opened: c.opened.Load(), Reused: c.reused.Load(),
		Drained: c.drained.Load(), Dropped: c.dropped.Load(), PeerClosed: c.peerClosed.Load(),
		LostRaces: c.lostRaces.Load(),
	}
}

// Events are functions that a Transport calls when something happens to a connection.
// Each may be nil. They have to return soon, as the connection waits for them, and may be
// called concurrently. host is a scheme and a name: "https://example.com".
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
