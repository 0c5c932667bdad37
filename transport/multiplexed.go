package transport

import (
	"sync/atomic"
	"time"
)

// An HTTP/2 connection serves many requests at a time. To its server it is idle
// while there is none, so that it is treated as one of HTTP/1 then: a close tells the
// server's timeout, and no request is sent on a connection that may be about to be
// closed. Its phases are sent, while there are requests, and idle; refused, when a
// request came too late; and over.
//
// What is different:
//
//   - Such a connection is not refused just before something is sent on it, but when
//     it is given to the first request after it was idle: others send on it, too.
//   - A server says GOAWAY, and ends the connection a while later (net/http's, after
//     a second). net/http has taken it out of use by then, and its reader, which is
//     above TLS, does not tell what came. So what a server sent on an idle
//     connection, and nothing was sent in answer to, is taken for what its end began
//     with, once it has ended.
//   - A GOAWAY, or an end, takes all requests at a time.
type multiplexed struct {
	unasked atomic.Int64 // like spoke, but stays when it is read on

	// Guarded by the mutex of the conn:

	requests   int           // that have not come to their end
	unanswered int           // of those since it was idle: failed, without a byte of a response
	before     time.Duration // how long it was idle before them; 0: one was answered since
}

// join is pick for HTTP/2. Where it returns false nothing will be sent for this use
// of the connection. Otherwise leave has to be called.
func (c *conn) join() (use int64, idleFor time.Duration, joined bool) {
	c.mu.Lock()
	for {
		s, last, p := c.now()
		if p == refused { // for all who come too late
			c.mu.Unlock()
			return last, 0, false
		}
		late, next := false, sent
		if p == idle || last == 0 && c.requests == 0 {
			idleFor = c.idleFor()
			late = c.tooLate(last, idleFor) || p == idle && idleFor >= hot && c.socket.pending()
		}
		if late || p == over || c.closing.Load() {
			next = refused
		}
		if p == idle && next == sent { // before it counts as in use
			c.heard.Store(false)
			c.spoke.Store(0)
			c.unasked.Store(0)
			c.wrote.Store(false)
		}
		if !c.state.CompareAndSwap(s, state(last+1, next)) {
			continue
		}
		if next == sent {
			c.requests++
			if p == idle {
				c.before, c.unanswered = idleFor, 0
			}
		}
		c.mu.Unlock()
		if late {
			c.dropped(idleFor)
			c.end()
		}
		return last + 1, idleFor, next == sent
	}
}

// leave ends what join began. A request failed if the server may have been the
// cause.
func (c *conn) leave(answered, failed bool) {
	c.mu.Lock()
	c.requests--
	if answered {
		c.before = 0
	} else if failed {
		c.unanswered++
	}
	if c.requests > 0 {
		c.mu.Unlock()
		return
	}
	s, _, p := c.now()
	ended := p != sent || c.closing.Load()
	if !ended {
		c.wall.Store(ahead(time.Now()))
		ended = !c.move(s, idle)
	}
	c.mu.Unlock()
	if ended {
		c.lostRaces()
	} else {
		c.arm()
	}
}

// lostRaces accounts for the requests that failed before the connection ended, and
// tells whether there are any. That it ends may be seen by the requests first.
func (c *conn) lostRaces() bool {
	c.mu.Lock()
	lost, before := c.unanswered, c.before
	c.unanswered = 0
	c.mu.Unlock()
	if lost == 0 || !c.heard.Load() { // then it was net/http that gave it up
		return false
	}
	for range lost {
		c.lostRace(before)
	}
	return true
}
