package transport

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// A call is what a response needs in addition to what net/http makes: its body.
type call struct {
	t *Transport

	conn   *conn        // nil: not watched
	use    int64        // of the conn
	joined atomic.Bool  // HTTP/2: it has to leave the conn
	sent   *guardedBody // that is closed when the response has come to its end; nil: none

	mu   sync.Mutex // of the reader of the body
	body io.ReadCloser
	url  *url.URL // of the request
	left int64    // of the body; negative: not known
	done bool     // nothing is left to read, or reading failed
}

// follow watches the response to its end.
func (t *Transport) follow(resp *http.Response, tr *tracer) {
	c := &call{t: t}
	if w := tr.conn; w != nil {
		c.conn, c.use = w, tr.use
		if tr.joined {
			c.joined.Store(true)
			if tr.body != nil && tr.body.ours {
				c.sent = tr.body
			}
		} else if resp.Close || resp.Request.Close || resp.StatusCode == http.StatusSwitchingProtocols {
			w.agreed(tr.use)
		} else {
			w.announce(tr.use, w.hostOf(resp.Request), resp.Header)
		}
	}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols: // the body is the connection
	case resp.Body == http.NoBody, tr.joined && (resp.ContentLength == 0 || resp.Request.Method == http.MethodHead):
		c.finish()
	default:
		c.body, c.left, c.url = resp.Body, resp.ContentLength, resp.Request.URL
		c.done = resp.Close || tr.joined // no need to read it
		resp.Body = (*drainingBody)(c)
	}
}

// finish is called when the response was read to its end, so that net/http has the
// connection again.
func (c *call) finish() {
	switch {
	case c.conn == nil:
	case c.conn.kind.Load() == notHTTP1:
		c.leave()
	default:
		c.conn.finish(c.use)
	}
}

// abandon is called when the response will not be read to its end. net/http then closes a
// connection of HTTP/1. That counts neither as the close of an idle connection nor as a lost
// race.
func (c *call) abandon() {
	switch {
	case c.conn == nil:
	case c.conn.kind.Load() == notHTTP1:
		c.leave()
	default:
		c.conn.agreed(c.use)
	}
}

func (c *call) leave() {
	if c.joined.Swap(false) {
		c.conn.leave(true, false)
		c.sent.done(true)
	}
}

// A tracer learns which connection a request got. It serves only that request: net/http
// nowhere promises to call no hook later.
type tracer struct {
	trace httptrace.ClientTrace
	req   *http.Request
	body  *guardedBody // nil: what there is can be sent again

	conn     *conn // nil: none yet, or not watched
	use      int64 // of the conn
	joined   bool  // HTTP/2: it has to leave the conn
	idle     time.Duration
	reused   bool
	shut     int         // attempts that net/http gave up before anything was sent
	answered atomic.Bool // a byte of the response came
}

// traced returns a copy of the request that calls the hooks of the tracer, before those that
// the request has.
func (tr *tracer) traced() *http.Request {
	tr.trace.GotConn = tr.gotConn
	tr.trace.GotFirstResponseByte = func() { tr.answered.Store(true) }
	return tr.req.WithContext(httptrace.WithClientTrace(tr.req.Context(), &tr.trace))
}

// gotConn is called for each attempt. net/http may make several by itself.
func (tr *tracer) gotConn(info httptrace.GotConnInfo) {
	tr.lost()
	tr.conn, tr.use, tr.idle, tr.reused = nil, 0, 0, info.Reused
	tr.answered.Store(false)
	if w := watched(info.Conn); w != nil {
		w.hostOf(tr.req)
		tr.conn = w
		if w.speaksHTTP1(info.Conn) {
			tr.use, tr.idle = w.pick(info.Reused, repeats(tr.req))
		} else {
			tr.use, tr.idle, tr.joined = w.join()
		}
	}
	if tr.body != nil {
		tr.body.got(tr.conn, tr.use, tr.joined)
	}
}

// repeats reports whether net/http repeats the request if its connection has ended
// (isReplayable in net/http/request.go).
func repeats(req *http.Request) bool {
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return false
	}
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return req.Header["Idempotency-Key"] != nil || req.Header["X-Idempotency-Key"] != nil
}

const maxShut = 3

// unsent reports whether nothing was sent on the connection that the last attempt got. A
// server may have sent a response nevertheless; then nothing will be sent.
func (tr *tracer) unsent() bool {
	if tr.conn == nil {
		return false
	}
	for {
		s, use, p := tr.conn.now()
		switch {
		case use != tr.use:
			return false
		case p == refused && tr.reused:
			return true
		case p == refused: // of HTTP/2: a spare one, or one that the server ends at once
			tr.shut++
			return tr.shut <= maxShut
		case p == shut:
			// The server ended it, as it seems, but the body of the request may have
			// failed as well.
			tr.shut++
			return tr.shut <= maxShut
		case p == picked && tr.answered.Load():
			if tr.conn.move(s, refused) {
				return true
			}
		default:
			return false
		}
	}
}

// again prepares out for another attempt, and reports whether its body allows that.
func (tr *tracer) again(out *http.Request) (bool, error) {
	switch old := tr.body; {
	case old != nil:
		body := old.again()
		if body == nil {
			return false, nil
		}
		tr.body = &guardedBody{reading: reading{source: body}}
		out.Body = tr.body
	case out.Body != nil && out.Body != http.NoBody:
		body, err := out.GetBody()
		if err != nil {
			return false, err
		}
		out.Body = body
	}
	tr.conn = nil
	return true, nil
}

// lost counts an attempt that the server ended without an answer. If the connection had
// been idle before, that time is noted as a timeout.
func (tr *tracer) lost() {
	c := tr.conn
	if tr.joined {
		tr.joined = false
		c.leave(tr.answered.Load(), tr.reused && tr.req.Context().Err() == nil)
		return
	}
	if c == nil || c.kind.Load() == notHTTP1 || !tr.reused || tr.answered.Load() || !c.heard.Load() {
		return
	}
	if _, use, p := c.now(); use != tr.use || p != sent {
		return
	}
	c.lostRace(tr.idle)
}
