package transport

import (
	"time"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// witnesses is how many connections must show that a server has a longer timeout than one
// close has shown once, before that is believed.
//
// What a close has shown is not true for ever, but nobody would notice: connections are
// dropped earlier. To forget it after a while would cost a POST each time. So it is tested
// after a while: connections that are dropped, and that net/http has closed, stay open
// below it as witnesses, without being used, until their server closes them. One that is
// closed as early as before ends the test.
//
// There have to be several, at the same time, as there may be several servers behind one
// name that take turns, of which only one has the short timeout.
const witnesses = 16

// A testimony is what a connection needs to be a witness. The mutex of the conn guards it.
type testimony struct {
	witness *sightings // that it is a witness for; nil: it is none
	settled bool       // it stays none, or net/http has closed it
}

// volunteer makes a connection that is just dropped a witness, if one is needed.
func (c *conn) volunteer() {
	s := c.doubtful()
	if s == nil || !s.admit(c) {
		return
	}
	c.mu.Lock()
	late := c.settled
	if !late {
		c.witness = s
	}
	c.mu.Unlock()
	if late {
		s.release(c)
	}
}

// doubtful returns the sightings because of which the connection is dropped, nil if it
// cannot be their witness.
func (c *conn) doubtful() *sightings {
	h := c.host.Load()
	if c.t.base.MaxConnsPerHost > 0 {
		return nil // it would be one too many
	}
	announced := c.announced.Load()
	if announced == 0 {
		return &h.silent
	}
	if c.t.before(h.early.shortest()) < c.t.before(time.Duration(announced-1)) {
		return &h.early
	}
	return nil // it is dropped because of what its server announced
}

// mayWrite reports whether a connection that was dropped is no witness, and so may be
// told to end: by the close_notify of TLS.
func (c *conn) mayWrite() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.witness == nil {
		c.settled = true
	}
	return c.witness == nil
}

// detach is called when net/http closes a connection, perhaps more than once. It reports
// whether that is a witness, and so stays open.
func (c *conn) detach() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.witness != nil && !c.settled {
		go c.testify(c.witness)
	}
	c.settled = true
	return c.witness != nil
}

// retract: net/http cannot be made to leave the connection without closing it.
func (c *conn) retract() {
	c.mu.Lock()
	s := c.witness
	c.witness, c.settled = nil, true
	c.mu.Unlock()
	if s != nil {
		s.release(c)
	}
}

// testify waits until the server closes the connection. It need not be longer than
// net/http would keep one.
func (c *conn) testify(s *sightings) {
	longest := c.t.base.IdleConnTimeout
	if longest <= 0 {
		longest = testFor
	}
	if c.Conn.SetReadDeadline(time.Now().Add(longest-c.idleFor())) == nil {
		_, err := c.Conn.Read(make([]byte, 1)) // whatever comes, nobody asked for it
		if c.credible(err) {
			s.testified(c, c.idleFor())
		}
	}
	s.release(c)
	c.Conn.Close()
}

// credible reports whether the server, which has kept the connection until now, is what
// ended it. If the path was interrupted, or this machine has slept, the end comes late.
func (c *conn) credible(err error) bool {
	if slept := ahead(time.Now()) - c.wall.Load(); slept > int64(time.Second) {
		return false
	}
	switch sockopt.CauseOf(err) {
	case sockopt.EndOfStream, sockopt.Reset, sockopt.Deadline:
		return true
	}
	return err == nil
}

// admit takes a witness if one is needed.
func (s *sightings) admit(c *conn) bool {
	if s.least.Load() == 0 || s.until.Load() > now() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.watched)+s.later >= witnesses {
		return false
	}
	if s.watched == nil {
		s.watched = map[*conn]struct{}{}
	}
	s.watched[c] = struct{}{}
	return true
}

// release forgets a witness.
func (s *sightings) release(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watched, c)
}

// testified takes what a witness has shown, unless it was dismissed.
func (s *sightings) testified(c *conn, idle time.Duration) {
	h := c.host.Load()
	s.mu.Lock()
	if _, asked := s.watched[c]; !asked {
		s.mu.Unlock()
		return
	}
	delete(s.watched, c)
	if least := s.shortest(); idle <= least || agree(idle, least) {
		s.mu.Unlock()
		s.observe(h, idle)
		return
	}
	if s.later++; s.later == 1 || idle < s.next {
		s.next = idle
	}
	replaced := s.later == witnesses
	if replaced {
		s.replaced = s.shortest()
		s.least.Store(int64(s.next))
		s.hold(h)
	}
	next := s.next
	s.mu.Unlock()
	if replaced {
		h.t.events.learned(h, next, "observed closes")
	}
}

// hold lets the figure hold for a while, and returns the witnesses that are no longer
// needed. The caller has the lock, and closes them without it.
func (s *sightings) hold(h *host) (dismissed map[*conn]struct{}) {
	least := s.shortest()
	if s.replaced > 0 && (least <= s.replaced || agree(least, s.replaced)) {
		s.replaced = 0 // it should not have been
		s.wrong = min(s.wrong+1, 16)
	}
	while := min(max(100*least, observedAtLeast), h.t.doubtAfter) << s.wrong
	s.until.Store(now() + int64(while))
	dismissed, s.watched, s.later = s.watched, nil, 0
	return dismissed
}

// dismiss closes the witnesses.
func (s *sightings) dismiss() {
	s.mu.Lock()
	all := s.watched
	s.watched = nil
	s.mu.Unlock()
	closeAll(all)
}

func closeAll(witnesses map[*conn]struct{}) {
	for c := range witnesses {
		c.Conn.Close()
	}
}
