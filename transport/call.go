package transport

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// A call is what a request needs beside what net/http makes: its context, and the
// body of its response. It is one allocation, the copy of the request is another.
type call struct {
	context.Context
	trace *httptrace.ClientTrace
	host  *host

	body io.ReadCloser
	left int64 // of the body; negative: not known
	done bool  // nothing is left to read, or reading failed
	conn *conn
	use  int64 // of the conn
}

// traced returns a copy of the request that calls the trace.
func (c *call) traced(req *http.Request) *http.Request {
	if traceKey == nil || httptrace.ContextClientTrace(c.Context) != nil {
		own := *c.trace // WithClientTrace adds theirs to it
		return req.WithContext(httptrace.WithClientTrace(c.Context, &own))
	}
	return req.WithContext(c)
}

// Value has the trace in addition: what httptrace.WithClientTrace does, without an
// allocation of its own.
func (c *call) Value(key any) any {
	if key == traceKey {
		return c.trace
	}
	return c.Context.Value(key)
}

// traceKey is what httptrace looks for in a context; nil if it did not look.
var traceKey = func() (key any) {
	httptrace.ContextClientTrace(keyFinder{context.Background(), &key})
	return key
}()

type keyFinder struct {
	context.Context
	found *any
}

func (k keyFinder) Value(key any) any {
	*k.found = key
	return nil
}

// follow watches the response of an HTTP/1 request to its end.
func (c *call) follow(resp *http.Response, tr *tracer) {
	if w := watched(tr.conn); w != nil {
		w.host.Store(c.host)
		c.conn, c.use = w, tr.use
		if resp.Close || resp.StatusCode == http.StatusSwitchingProtocols {
			w.over.Store(true) // as agreed
		}
	}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols: // the body is the connection
	case resp.Body == http.NoBody:
		c.finish()
	default:
		c.body, c.left = resp.Body, resp.ContentLength
		c.done = resp.Close // no need to read it
		resp.Body = (*drainingBody)(c)
	}
}

// finish: the connection is net/http's again.
func (c *call) finish() {
	if c.conn != nil {
		c.conn.finish(c.use)
	}
}

// A tracer learns which connection a request got. That happens before RoundTrip
// returns, so that it can then serve another request; what net/http keeps of it
// is the trace, which never changes.
type tracer struct {
	trace  httptrace.ClientTrace
	conn   net.Conn
	use    int64
	reused bool
}

var tracers = sync.Pool{New: func() any {
	tr := &tracer{}
	tr.trace.GotConn = func(info httptrace.GotConnInfo) {
		tr.conn, tr.reused = info.Conn, info.Reused
		if w := watched(info.Conn); w != nil {
			tr.use = w.uses.Add(1)
		}
	}
	return tr
}}

func (tr *tracer) release() {
	tr.conn, tr.use, tr.reused = nil, 0, false
	tracers.Put(tr)
}
