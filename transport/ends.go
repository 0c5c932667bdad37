package transport

import (
	"cmp"
	"sync/atomic"
	"time"
)

// ended is called when reading or writing has failed. It sets failed if that was in the
// middle of a request.
func (c *conn) ended(failed *atomic.Bool) {
	if c.closing.Load() {
		return // net/http closes it, which ends a Read, too
	}
	for {
		s, use, p := c.now()
		switch p {
		case idle:
			if !c.move(s, over) {
				continue
			}
			c.idleEnded()
		case picked:
			if !c.move(s, refused) {
				continue
			}
			c.idleEnded()
		case sent:
			c.heard.Store(true)
			failed.Store(true)
			if (c.kind.Load() == notHTTP1 || use == 0) && !c.move(s, over) {
				continue
			}
		}
		return
	}
}

// idleEnded counts the end of an idle connection as one that the server made, unless this
// side may have begun it, for instance with the close_notify that net/http sends.
func (c *conn) idleEnded() {
	switch {
	case c.lostRaces():
	case c.wrote.Load() && c.spoke.Load() == 0:
		c.dropped(c.idleFor())
	default:
		c.peerClosed()
	}
}

// agreed notes that the connection ends after this use, as both sides know.
func (c *conn) agreed(use int64) { c.state.CompareAndSwap(state(use, sent), state(use, over)) }

// peerClosed counts a close that the server made, or bytes that were taken for one. A
// server that sends something else on an idle connection, such as a session ticket of
// TLS, does so just after its response, which is too early to be taken for its timeout.
func (c *conn) peerClosed() {
	idle := time.Duration(cmp.Or(c.unasked.Load(), c.spoke.Load(), int64(c.idleFor())))
	h := c.host.Load()
	if h != nil { // otherwise no request had it
		c.observe(h, idle) // first, so that a close which is counted is also heeded
	}
	c.t.counts.peerClosed.Add(1)
	if h != nil {
		c.t.events.peerClosed(h, idle)
	}
}

func (c *conn) dropped(idle time.Duration) {
	c.t.counts.dropped.Add(1)
	if h := c.host.Load(); h != nil {
		c.t.events.dropped(h, idle)
	}
}

// lostRace counts a request that got no answer, as the server ended the connection, which
// had been idle for so long before.
func (c *conn) lostRace(idle time.Duration) {
	h := c.host.Load()
	c.observe(h, idle)
	c.t.counts.lostRaces.Add(1)
	c.t.events.lostRace(h, idle)
}
