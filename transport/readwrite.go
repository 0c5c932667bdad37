package transport

import (
	"io"
)

// Read is also called while the connection is idle.
func (c *conn) Read(b []byte) (int, error) {
	if c.spoke.Load() != 0 {
		c.spoke.Store(0) // TLS reads on, so what came did not end it; it may be a session ticket
	}
	if c.wrote.Load() {
		c.wrote.Store(false)
		c.unasked.Store(0) // a PING did not end it either
	}
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.came()
	}
	if err != nil {
		c.ended(&c.unread)
	}
	return n, err
}

func (c *conn) came() {
	_, use, p := c.now()
	if p == over {
		return
	}
	if p == idle || p == picked {
		if c.wrote.Load() {
			return // an answer
		}
		idle := max(int64(c.idleFor()), 1)
		c.spoke.CompareAndSwap(0, idle)
		// What comes just after a response belongs to it: WINDOW_UPDATE.
		if c.kind.Load() == notHTTP1 && c.unasked.Load() < int64(moment) {
			c.unasked.Store(idle)
		}
		return
	}
	if use > 0 {
		c.read.Store(now())
	}
	if !c.heard.Load() {
		c.heard.Store(true)
	}
}

// begin is called before bytes are sent, and reports whether they may be sent. This is the
// last moment at which a request can still move to another connection.
func (c *conn) begin() bool {
	for {
		s, use, p := c.now()
		switch p {
		case sent:
			if use == 0 {
				c.read.Store(now())
			}
		case refused, shut:
			return false
		case picked:
			if c.spoke.Load() != 0 || c.cold.Load() && c.socket.pending() {
				if c.move(s, refused) {
					c.peerClosed()
				}
				continue
			}
			c.heard.Store(false)
			if !c.move(s, sent) {
				continue
			}
		case idle: // a frame of HTTP/2, or net/http closes it: the close_notify of TLS
			c.wrote.Store(true)
		}
		return true
	}
}

func (c *conn) Write(b []byte) (int, error) {
	if len(b) > 0 && b[0] == socksVersion && c.host.Load() == nil {
		c.socks.Store(true)
	}
	if !c.begin() {
		return 0, errUnsent
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		c.ended(&c.unwritten)
	}
	return n, err
}

// ReadFrom lets the kernel use sendfile and splice, also for a guarded body.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	if !c.begin() {
		return 0, errUnsent
	}
	if l, ok := r.(*io.LimitedReader); ok {
		if b, ok := l.R.(*guardedBody); ok {
			if body := b.direct(); body != nil {
				inner := io.LimitedReader{R: body, N: l.N}
				defer func() { l.N = inner.N }()
				r = &inner
			}
		}
	}
	n, err := io.Copy(c.Conn, r)
	if err != nil && c.socket.pending() { // else it was the reader that failed
		c.ended(&c.unwritten)
	}
	return n, err
}

// Close is called by net/http: because the server ended the connection in a way that this
// layer only sees as bytes, or because net/http drops an idle connection.
func (c *conn) Close() error {
	c.closing.Store(true)
	c.disarm()
	for {
		s, _, p := c.now()
		spoke := c.spoke.Load() != 0
		to := over
		switch {
		case p == picked && spoke:
			to = refused
		case p == picked:
			to = shut
		}
		if (p == idle || p == picked) && !c.move(s, to) {
			continue
		}
		switch {
		case p == idle && c.lostRaces():
		case spoke && (p == idle || p == picked):
			c.peerClosed()
		case p == idle:
			c.dropped(c.idleFor())
		}
		return c.Conn.Close()
	}
}
