package transport

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A conn is the connection that net/http gets from the dialer. TLS and tunnels are above
// it. It knows whether a request uses it, and so distinguishes an answer from what ends
// an idle connection: FIN, the close_notify of TLS, an unrequested 408, GOAWAY. The bytes
// of these do not count as activity.
type conn struct {
	net.Conn
	t       *Transport
	address string               // that was dialed
	kind    atomic.Int32         // see speaksHTTP1; of HTTP/2 see multiplexed, too
	host    atomic.Pointer[host] // set by the first request
	socks   atomic.Bool          // a SOCKS proxy is at the address
	socket  *socket              // to look at it without reading; nil if that is not possible
	made    int64                // when; see now
	state   atomic.Int64         // the number of its request, and a phase
	read    atomic.Int64         // when bytes of a response last came, before the first one: when a handshake was last written; see now
	spoke   atomic.Int64         // its idle time in ns when bytes came that nobody had asked for; 0: none, or dealt with
	wrote   atomic.Bool          // something was written while idle, and nothing read since
	cold    atomic.Bool          // it was idle for more than a moment when it was picked
	heard   atomic.Bool          // something came, or it ended, since the request was sent
	closing atomic.Bool          // by net/http

	unread, unwritten atomic.Bool // reading or writing failed while it was in use

	announced atomic.Int64 // by the Keep-Alive header of a response, in ns, plus 1; 0: nothing
	most      atomic.Int64 // requests that it takes in all; 0: any number
	wall      atomic.Int64 // at the end of the last response, see ahead

	mu    sync.Mutex
	timer *time.Timer  // looks whether it was idle for too long
	due   atomic.Int64 // when that is; 0: not set

	longer      atomic.Int64 // its idle time in ns if it was used although that was more than the limit, which is doubted; 0: it was not
	multiplexed              // HTTP/2 only
}

// A phase is how far a connection has come with one request.
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

// errUnsent is the error that net/http gets from a connection that ended before its
// request was sent. After io.EOF net/http would not send a POST again, although it could,
// as nothing of it was sent.
var errUnsent = errors.New("transport: the idle connection ended before the request was sent")

func newConn(c net.Conn, t *Transport, address string) *conn {
	w := &conn{Conn: c, t: t, address: address, socket: newSocket(c), made: now()}
	w.read.Store(w.made)
	return w
}

var start = time.Now()

func now() int64 { return int64(time.Since(start)) }

// NetConn returns the connection below, as tls.Conn's does.
func (c *conn) NetConn() net.Conn { return c.Conn }

// CloseWrite is called after 101 Switching Protocols: net/http and its ReverseProxy use it
// to say that one side has nothing more to send.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return fmt.Errorf("transport: CloseWrite of %T: %w", c.Conn, errors.ErrUnsupported)
}

// SyscallConn returns that of the connection below.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.Conn.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, syscall.EINVAL
}
