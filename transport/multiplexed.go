package transport

import (
	"sync/atomic"
	"time"
)

// multiplexed is what a conn needs in addition if it speaks HTTP/2, and so serves many
// requests at a time. For its server such a connection is idle while it has no request.
// Then it is treated as one of HTTP/1: a close shows the timeout of the server, and no
// request is sent if the connection may be about to be closed. Its phases are sent, while
// there are requests, and idle; refused, after a request that came too late; and over.
//
// There are three differences:
//
//   - The connection is not refused just before something is sent on it, as other
//     requests send on it, too. It is refused when the first request after an idle time
//     gets it.
//   - A server sends GOAWAY, and ends the connection later (that of net/http, after a
//     second). By then net/http has taken the connection out of use, and its reader, which
//     is above TLS, does not say what came. So if a server sent something on an idle
//     connection, nothing was sent in answer, and then the connection ended, what it sent
//     is taken for the beginning of the end.
//   - A GOAWAY, or the end of the connection, hits all of its requests at once.
type multiplexed struct {
	unasked atomic.Int64 // like spoke, but stays when it is read on

	// Guarded by the mutex of the conn:

	requests   int           // requests that have not ended
	unanswered int           // requests since it was idle that failed without a byte of a response
	before     time.Duration // how long it was idle before these; 0: one was answered since
}

// join does for HTTP/2 what pick does for HTTP/1. If joined is false, nothing will be sent
// in this use of the connection. Otherwise leave has to be called.
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

// leave ends a use that join began. failed says that the request failed, and that the
// server may have been the cause.
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

// lostRaces counts the requests that failed before the end of the connection was seen, and
// reports whether there are any.
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
