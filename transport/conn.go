package transport

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// A conn watches what happens to a connection: below TLS, so that it sees the
// close of a connection that nobody reads from.
type conn struct {
	net.Conn
	t    *Transport
	host atomic.Pointer[host] // of the last request; nil before the first, and for HTTP/2

	uses     atomic.Int64 // requests that had it
	finished atomic.Int64 // the last of them whose response was read to its end

	read, wrote atomic.Int64 // when bytes last came, and went; see now
	over        atomic.Bool  // its end is accounted for, or was agreed on
}

var start = time.Now()

func now() int64 { return int64(time.Since(start)) }

// watched finds the conn below what net/http uses.
func watched(c net.Conn) *conn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	w, _ := c.(*conn)
	return w
}

// NetConn returns the connection below, as tls.Conn's does.
func (c *conn) NetConn() net.Conn { return c.Conn }

// SyscallConn returns that of the connection below.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.Conn.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, syscall.EINVAL
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.read.Store(now())
	}
	if err != nil {
		c.ended()
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	c.wrote.Store(now())
	n, err := c.Conn.Write(b)
	if err != nil {
		c.ended()
	}
	return n, err
}

// ReadFrom keeps sendfile and splice.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	c.wrote.Store(now())
	n, err := io.Copy(c.Conn, r)
	c.wrote.Store(now())
	return n, err
}

// Close counts a connection that was idle as dropped.
func (c *conn) Close() error {
	h := c.host.Load()
	if c.over.CompareAndSwap(false, true) && h != nil && c.idle() {
		c.t.counts.dropped.Add(1)
		c.t.events.dropped(h, c.idleFor())
	}
	return c.Conn.Close()
}

// finish notes that the response to this use was read.
func (c *conn) finish(use int64) {
	for last := c.finished.Load(); last < use; last = c.finished.Load() {
		if c.finished.CompareAndSwap(last, use) {
			return
		}
	}
}

func (c *conn) idle() bool { return c.finished.Load() == c.uses.Load() }

// idleFor is the time since the last bytes came.
func (c *conn) idleFor() time.Duration { return time.Duration(now() - c.read.Load()) }

// ended accounts for a connection that the peer ended: while it was idle, or
// before it answered.
func (c *conn) ended() {
	h := c.host.Load()
	if !c.over.CompareAndSwap(false, true) || h == nil {
		return
	}
	if c.idle() {
		idle := c.idleFor()
		c.t.counts.peerClosed.Add(1)
		c.t.events.peerClosed(h, idle)
		h.peerClosed(idle)
		return
	}
	if before := c.wrote.Load() - c.read.Load(); c.uses.Load() > 1 && before > 0 {
		c.t.counts.lostRaces.Add(1)
		c.t.events.lostRace(h, time.Duration(before))
	}
}
