package transport

import (
	"fmt"
	"sync/atomic"
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
