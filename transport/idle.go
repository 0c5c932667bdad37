package transport

import (
	"time"
)

// A connection that was idle for less was just used, and no server closes it for
// having been idle: it is not looked at, which costs as much as a system call does.
const hot = time.Millisecond

// A spare connection is one that had no request yet: when it had been made, another
// one was free. How long its server waits for a first request is another time than how
// long for the next one, and often shorter; no response says it. Who needs a spare one
// needs it soon, so that it is not worth to learn that, too. The server's time may
// begin when it accepts the connection, before a handshake. But one whose handshake took
// so long, and is just done, is not spare.
const spareFor = 500 * time.Millisecond

// pick is called when net/http gives the connection to a request, which nothing
// was sent of yet. It returns the number of the use.
func (c *conn) pick(reused bool) (use int64, idle time.Duration) {
	for {
		s, last, p := c.now()
		use = last + 1
		next := sent
		switch {
		case last == 0 && !reused: // just made
		case p == over || p == refused || p == shut || c.closing.Load():
			next = refused
		case reused:
			next = picked
		}
		if !c.state.CompareAndSwap(s, state(use, next)) {
			continue
		}
		if next == picked {
			idle = c.idleFor()
			c.cold.Store(idle >= hot)
			if c.tooLate(last, idle) || c.spent(last) {
				if c.move(state(use, picked), refused) {
					c.dropped(idle)
				}
			}
		}
		return use, idle
	}
}

// finish notes that the response to this use was read to its end. net/http may
// have given the connection to another request before.
func (c *conn) finish(use int64) {
	c.wall.Store(ahead(time.Now()))
	if !c.state.CompareAndSwap(state(use, sent), state(use, idle)) {
		return
	}
	if c.spent(use) {
		c.drop(state(use, idle))
		return
	}
	c.arm()
}

// idleFor is the time since the last bytes of a response came. The server's time
// began when it had sent them, which does not depend on when they are read.
func (c *conn) idleFor() time.Duration {
	t := time.Now()
	idle := t.Sub(start) - time.Duration(c.read.Load())
	if wall := c.wall.Load(); wall != 0 {
		idle += time.Duration(max(ahead(t)-wall, 0))
	}
	return idle
}

// ahead is by how much the wall clock is ahead of the monotonic one. It grows
// while a machine sleeps: the monotonic clock stands still, the server's do not.
func ahead(t time.Time) int64 { return t.UnixNano() - int64(t.Sub(start)) }

// limit is how long the connection may be idle, 0 for as long as net/http lets it:
// what its own server announced, or what was learned from closes of servers that announce nothing.
func (c *conn) limit() time.Duration {
	h := c.host.Load()
	if h == nil {
		return 0
	}
	announced := c.announced.Load()
	if announced == 0 {
		if seen := h.silent.shortest(); seen > 0 {
			return c.t.before(seen)
		}
		return 0
	}
	limit := c.t.before(time.Duration(announced - 1))
	if seen := h.early.shortest(); seen > 0 {
		limit = min(limit, c.t.before(seen))
	}
	return limit
}

// tooLate reports whether the connection may not be used again after having been idle
// for so long.
func (c *conn) tooLate(uses int64, idle time.Duration) bool {
	if uses == 0 {
		return now()-c.made >= int64(spareFor) && idle >= spareFor/10
	}
	limit := c.limit()
	return limit > 0 && idle >= limit
}

// spent reports whether the server takes no more requests after so many.
func (c *conn) spent(uses int64) bool {
	most := c.most.Load()
	return most > 0 && uses >= most
}

// observe takes an idle time at which the server closed the connection for what it
// is: the timeout of servers like it.
func (c *conn) observe(h *host, idle time.Duration) {
	switch announced := c.announced.Load(); {
	case announced == 0:
		h.silent.observe(h, idle)
	case idle < c.t.before(time.Duration(announced-1)): // the header is not true
		h.early.observe(h, idle)
	}
}

// arm sees to it that the connection is dropped when it was idle for too long. The
// timer is not set anew for each request: it looks when it fires.
func (c *conn) arm() {
	limit := c.limit()
	if limit == 0 {
		return
	}
	at := c.read.Load() + int64(limit)
	if due := c.due.Load(); due != 0 && due <= at {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing.Load() {
		return
	}
	c.due.Store(at)
	wait := max(time.Duration(at-now()), 0)
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, c.expire)
	} else {
		c.timer.Reset(wait)
	}
}

func (c *conn) disarm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
}

// expire drops the connection, or looks again later.
func (c *conn) expire() {
	c.due.Store(0) // before the state is read: finish does it the other way round
	s, _, p := c.now()
	if p != idle {
		return // finish arms
	}
	if limit := c.limit(); limit > 0 && c.idleFor() >= limit {
		c.drop(s)
		return
	}
	c.arm()
}

// drop ends a connection unless a request has it by now.
func (c *conn) drop(s int64) {
	if !c.move(s, over) {
		return
	}
	c.dropped(c.idleFor())
	c.end()
}

// end sees to it that net/http closes the connection, with the close_notify of TLS:
// its Read returns.
func (c *conn) end() {
	if c.Conn.SetReadDeadline(time.Unix(1, 0)) != nil {
		c.Conn.Close()
	}
}
