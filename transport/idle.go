package transport

import (
	"time"
)

// hot is how long after its last use a connection is not looked at before the next one,
// which would cost a system call. No server closes a connection that was idle for so
// short a time.
const hot = time.Millisecond

// spareFor is how long after it was made a spare connection is used. A spare connection
// is one that has had no request, as another connection was free when it had been made.
// Its server waits for a first request for another time than for a later one, which is
// often shorter, and which no response announces. A spare connection is mostly needed
// soon, so a Transport does not learn that time. The server's time may start when it
// accepts the connection, before a handshake. But a connection whose handshake took so
// long and has just ended is not spare.
const spareFor = 500 * time.Millisecond

// pick is called when net/http gives the connection to a request, of which nothing was
// sent yet. repeated says that net/http repeats the request if the connection has ended. It
// returns the number of this use, and how long the connection was idle.
func (c *conn) pick(reused, repeated bool) (use int64, idle time.Duration) {
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
			c.longer.Store(0)
			late := c.tooLate(last, idle)
			if late && repeated && last > 0 && !c.expired(idle) {
				c.longer.Store(int64(idle))
				late = false
			}
			if late || c.spent(last) {
				if c.move(state(use, picked), refused) {
					c.dropped(idle)
				}
			}
		}
		return use, idle
	}
}

// finish notes that the response to this use was read to its end. net/http may have given
// the connection to another request before that.
func (c *conn) finish(use int64) {
	c.wall.Store(ahead(time.Now()))
	longer := time.Duration(c.longer.Load()) // of this use, unless there is another one by now
	if !c.state.CompareAndSwap(state(use, sent), state(use, idle)) {
		return
	}
	if longer > 0 {
		h := c.host.Load()
		c.limiting(h).survived(h, longer)
	}
	switch {
	case c.unwritten.Load(): // no other request gets it
		c.move(state(use, idle), over)
	case c.unread.Load(): // net/http had the connection before, and the server has ended it
		if c.move(state(use, idle), over) {
			c.idleEnded()
		}
	case c.closing.Load(): // the same, and it was one too many
		if c.move(state(use, idle), over) {
			c.dropped(c.idleFor())
		}
	case c.spent(use):
		c.drop(state(use, idle))
	default:
		c.arm()
	}
}

// idleFor returns the time since the last bytes of a response came. The server's time
// started when it had sent them, whenever they are read here.
func (c *conn) idleFor() time.Duration {
	t := time.Now()
	idle := t.Sub(start) - time.Duration(c.read.Load())
	if wall := c.wall.Load(); wall != 0 {
		idle += time.Duration(max(ahead(t)-wall, 0))
	}
	return idle
}

// ahead returns by how much the wall clock is ahead of the monotonic one. It grows while
// the machine sleeps: the monotonic clock stops, and the clocks of servers do not.
func ahead(t time.Time) int64 { return t.UnixNano() - int64(t.Sub(start)) }

// limit returns how long the connection may be idle, 0 if only net/http limits it. The
// limit is what its server announced, or was learned from closes of servers that announce
// nothing.
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

// limiting returns the closes that limit how long the connection may be idle.
func (c *conn) limiting(h *host) *sightings {
	if c.announced.Load() == 0 {
		return &h.silent
	}
	return &h.early
}

// patience returns how long the connection is kept idle, 0 if only net/http limits it. That
// is limit, but for what closes have shown and is doubted.
func (c *conn) patience() time.Duration {
	h := c.host.Load()
	if h == nil || !c.limiting(h).doubted() {
		return c.limit()
	}
	if announced := c.announced.Load(); announced != 0 {
		return c.t.before(time.Duration(announced - 1))
	}
	return 0
}

// expired reports whether the connection was idle for longer than it is kept.
func (c *conn) expired(idle time.Duration) bool {
	patience := c.patience()
	return patience > 0 && idle >= patience
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

// observe notes the idle time after which the server closed the connection, as the timeout
// of servers that announce as little as this one.
func (c *conn) observe(h *host, idle time.Duration) {
	switch announced := c.announced.Load(); {
	case announced == 0:
		h.silent.observe(h, idle)
	case idle < c.t.before(time.Duration(announced-1)): // the header is not true
		h.early.observe(h, idle)
	}
}

// arm starts the timer that drops the connection once it was idle for too long. The timer
// is not set again for each request: expire does that when it fires.
func (c *conn) arm() {
	limit := c.patience()
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

// expire drops the connection if it was idle for too long, and otherwise sets the timer
// again.
func (c *conn) expire() {
	c.due.Store(0) // before the state is read: finish does it the other way round
	s, _, p := c.now()
	if p != idle {
		return // finish arms
	}
	if c.expired(c.idleFor()) {
		c.drop(s)
		return
	}
	c.arm()
}

// drop ends the connection, unless a request has got it meanwhile.
func (c *conn) drop(s int64) {
	if c.move(s, over) {
		c.dropped(c.idleFor())
		c.end()
	}
}

// end makes the Read of net/http return, so that it closes the connection, with the
// close_notify of TLS.
func (c *conn) end() {
	if c.Conn.SetReadDeadline(time.Unix(1, 0)) != nil {
		c.Conn.Close()
	}
}
