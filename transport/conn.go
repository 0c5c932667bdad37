package transport

import (
	"cmp"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A conn is a connection as net/http gets it to speak HTTP over, TLS and tunnels
// included: it is below them. It knows whether a request uses it, so that it can
// tell an answer from what ends an idle connection: FIN, the close_notify of TLS,
// an answer 408 that nobody asked for, GOAWAY. The bytes of those are no activity.
type conn struct {
	net.Conn
	t       *Transport
	address string               // that was dialed
	kind    atomic.Int32         // see speaksHTTP1; of HTTP/2 see multiplexed, too
	host    atomic.Pointer[host] // set by the first request
	socket  *socket              // to look at it without reading; nil if that is not possible
	state   atomic.Int64         // the number of its request, and a phase
	read    atomic.Int64         // when bytes of a response, or a handshake, last came; see now
	spoke   atomic.Int64         // its idle time in ns when bytes came that nobody had asked for; 0: none, or dealt with
	cold    atomic.Bool          // it was idle for more than a moment when it was picked
	heard   atomic.Bool          // something came, or it ended, since the request was sent
	closing atomic.Bool          // by net/http

	announced atomic.Int64 // by the Keep-Alive header of a response, in ns, plus 1; 0: nothing
	most      atomic.Int64 // requests that it takes in all; 0: any number
	wall      atomic.Int64 // at the end of the last response, see ahead

	mu    sync.Mutex
	timer *time.Timer  // looks whether it was idle for too long
	due   atomic.Int64 // when that is; 0: not set

	multiplexed              // HTTP/2 only
	unasked     atomic.Int64 // like spoke, but stays when it is read on
	replied     atomic.Bool  // something was written while idle, and nothing read since
}

// A phase is where a connection is with one request.
type phase int64

const (
	sent    phase = iota // in use; also while the connection is being made
	picked               // to be used again, but nothing was sent yet
	idle                 // the response was read to its end
	refused              // like picked, and nothing will be sent: it ended, or is about to
	shut                 // like picked, and net/http closed it before anything was sent
	over                 // its end is accounted for, or was agreed on
)

func state(use int64, p phase) int64 { return use<<3 | int64(p) }

func (c *conn) now() (s, use int64, p phase) {
	s = c.state.Load()
	return s, s >> 3, phase(s & 7)
}

// move changes the phase, unless something else has done so.
func (c *conn) move(from int64, to phase) bool {
	return c.state.CompareAndSwap(from, state(from>>3, to))
}

// errUnsent is what net/http sees of a connection that ended before its request
// was sent. It does not see io.EOF, after which it does not send a POST again that
// could be, although nothing of it was sent.
var errUnsent = errors.New("transport: the idle connection ended before the request was sent")

func newConn(c net.Conn, t *Transport, address string) *conn {
	w := &conn{Conn: c, t: t, address: address, socket: newSocket(c)}
	w.read.Store(now())
	return w
}

var start = time.Now()

func now() int64 { return int64(time.Since(start)) }

// NetConn returns the connection below, as tls.Conn's does.
func (c *conn) NetConn() net.Conn { return c.Conn }

// SyscallConn returns that of the connection below.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.Conn.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, syscall.EINVAL
}

// Read is called while the connection is idle, too.
func (c *conn) Read(b []byte) (int, error) {
	if c.spoke.Load() != 0 {
		c.spoke.Store(0) // TLS reads on, so what came did not end it: a session ticket, say
		if c.replied.Swap(false) {
			c.unasked.Store(0) // nor did a PING
		}
	}
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.came()
	}
	if err != nil {
		c.ended()
	}
	return n, err
}

func (c *conn) came() {
	if _, _, p := c.now(); p == idle || p == picked {
		idle := max(int64(c.idleFor()), 1)
		c.spoke.CompareAndSwap(0, idle)
		// What comes just after a response belongs to it: WINDOW_UPDATE.
		if c.kind.Load() == notHTTP1 && c.unasked.Load() < int64(moment) {
			c.unasked.Store(idle)
		}
		return
	}
	c.read.Store(now())
	if !c.heard.Load() {
		c.heard.Store(true)
	}
}

// ended: reading or writing failed.
func (c *conn) ended() {
	if c.closing.Load() {
		return // by net/http, of which Read is told too
	}
	for {
		s, _, p := c.now()
		switch p {
		case idle:
			if !c.move(s, over) {
				continue
			}
			c.peerClosed()
		case picked:
			if !c.move(s, refused) {
				continue
			}
			c.peerClosed()
		case sent:
			c.heard.Store(true)
			if c.kind.Load() == notHTTP1 && !c.move(s, over) {
				continue
			}
		}
		return
	}
}

// begin is called before bytes are sent, and tells whether they may be. This is
// the last moment at which a request can still take another connection.
func (c *conn) begin() bool {
	for {
		s, _, p := c.now()
		switch p {
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
		case idle: // HTTP/2
			c.replied.Store(true)
		}
		return true
	}
}

func (c *conn) Write(b []byte) (int, error) {
	if !c.begin() {
		return 0, errUnsent
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		c.ended()
	}
	return n, err
}

// ReadFrom keeps sendfile and splice, also for a body that is guarded.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	if !c.begin() {
		return 0, errUnsent
	}
	if l, ok := r.(*io.LimitedReader); ok {
		if b, ok := l.R.(*guardedBody); ok {
			b.touched.Store(true)
			inner := io.LimitedReader{R: b.ReadCloser, N: l.N}
			defer func() { l.N = inner.N }()
			r = &inner
		}
	}
	n, err := io.Copy(c.Conn, r)
	if err != nil && c.socket.pending() { // else it was the reader that failed
		c.ended()
	}
	return n, err
}

// Close is net/http's: because the server ended the connection, in a way that this
// layer sees as bytes, or because it drops one that is idle.
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
		case spoke && (p == idle || p == picked):
			c.peerClosed()
		case p == idle:
			c.dropped(c.idleFor())
		}
		return c.Conn.Close()
	}
}

// agreed: the end of this use will be the end of the connection.
func (c *conn) agreed(use int64) { c.state.CompareAndSwap(state(use, sent), state(use, over)) }

// peerClosed accounts for an end that the server made, or for what was taken for
// one: a server that sends something else on an idle connection, as a session
// ticket of TLS, does so just after its response, which is too soon to be taken for
// its timeout.
func (c *conn) peerClosed() {
	idle := time.Duration(cmp.Or(c.unasked.Load(), c.spoke.Load(), int64(c.idleFor())))
	h := c.host.Load()
	if h != nil { // otherwise no request had it
		c.observe(h, idle) // first: what is counted is heeded
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

// lostRace accounts for a request that got no answer, as the server ended the
// connection that had been idle for so long.
func (c *conn) lostRace(idle time.Duration) {
	h := c.host.Load()
	c.observe(h, idle)
	c.t.counts.lostRaces.Add(1)
	c.t.events.lostRace(h, idle)
}
