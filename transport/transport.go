package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
)

const (
	defaultDrainLimit = 256 << 10 // to read more takes longer than a new connection
	defaultDrainTime  = 50 * time.Millisecond
	defaultMargin     = time.Second
)

// Options say how to make a Transport. The zero value has good defaults.
type Options struct {
	// Base is the http.Transport to clone, with its proxies, TLS and limits. nil stands
	// for http.DefaultTransport. To change something, change a clone of that:
	//
	//	base := http.DefaultTransport.(*http.Transport).Clone()
	//	base.TLSClientConfig = &tls.Config{RootCAs: authorities}
	//	t, err := transport.New(transport.Options{Base: base})
	//
	// The Transport speaks HTTP/2 if the Base would. It keeps what RegisterProtocol has
	// added to the Base for other schemes than http and https; if there is something for
	// http or https, New returns an error.
	//
	// A MaxIdleConnsPerHost of 0 stands for MaxIdleConns, or for 100 if that is 0, too.
	// net/http would keep 2, and close the others after every burst of requests.
	Base *http.Transport

	// Dialer makes the connections. nil stands for the DialContext or Dial of the Base.
	// If the Base has none, or only that of http.DefaultTransport, nil stands for a
	// dialer with [sockopt.Recommended], as far as this system takes that.
	//
	// If there is a Dialer, and the Base dials itself as well (DialContext, Dial,
	// DialTLSContext or DialTLS), New returns an error.
	Dialer *dialer.Dialer

	// DrainLimit is how many bytes of an unread body Close reads, so that the
	// connection can be used again: 0 stands for 256 KiB, negative for none. With
	// HTTP/2 Close reads nothing, as the connection can be used again anyway.
	DrainLimit int64
	// DrainTime is how long Close may take to read them; 0 stands for 50 ms.
	DrainTime time.Duration

	// Margin is how long before its server's timeout an idle connection is dropped; 0
	// stands for 1 s. It has to cover a round trip and the scheduling of both ends,
	// however long the timeout is. If it is more than half of the timeout, half of the
	// timeout is taken instead.
	//
	// The Base's IdleConnTimeout also limits how long a connection is idle.
	Margin time.Duration

	// Plan, if it has a Heartbeat, limits how long a connection may be idle, and sets
	// the health pings of HTTP/2 if they count on its path. It may be nil.
	Plan *align.Plan

	// Events are called when something happens to a connection.
	Events Events
}

// A Transport is an http.RoundTripper over one *http.Transport, all of whose limits hold.
// net/http picks a connection for each request. Just before the first byte of the request
// is sent, the Transport decides whether that connection may be used. It drops the
// connection, and the request is sent on another one, in these cases:
//
//   - The server announced an idle timeout on that very connection, and the connection
//     has been idle for that time less a Margin. Connections that no request needs are
//     dropped at that time, too.
//   - The server announced how many requests it takes, and has had that many.
//   - The server announced nothing, and has closed a connection that was idle for so
//     long.
//   - The connection has had no request since it was made, half a second ago, as another
//     connection was free before it. Servers wait less long for a first request than for
//     a later one.
//   - The server has ended the connection, or has sent something that nobody asked for.
//
// Nothing was sent then, so nothing is lost, not even a POST whose body can be read only
// once.
//
// What one close has shown counts until something else is known. As connections are
// dropped earlier, the Transport would not notice that a server has a longer timeout by
// now. So after a hundred times the idle time, at least a minute and at most 10 minutes,
// connections of HTTP/1 stay for longer, and GET and other requests that net/http repeats
// by itself are sent on them. If 16 of these in a row are served, the shortest of the idle
// times before them counts from then on. If a connection is closed as early as before, that
// is over for the same time again, and for twice as long each time that a longer time was
// wrong, as only some of the servers behind one name have it. A POST never takes part.
//
// A server counts its timeout from the moment at which it has sent a response. The
// Transport counts from the moment at which the last bytes of the response came. If a
// body is larger than the buffers of the kernel, that depends on its reader: a program
// that reads such bodies slowly needs a larger Margin.
//
// All this applies to HTTP/1 and HTTP/2, over TLS and through proxies. An HTTP/2
// connection is idle while it has no request at all. An HTTP/2 server cannot announce a
// timeout in a header (RFC 9113, 8.2.2). It sends GOAWAY when it ends the connection.
// net/http then sends a request that was on its way again, if it has no body or a GetBody,
// as http.NewRequest sets for strings and bytes; with another body the request fails.
// After the Transport has seen one such close, no request is on its way at that time.
//
// If DialTLSContext or DialTLS of the Base makes a connection as a *tls.Conn, the
// Transport does not watch it, as it does not know the connection below.
//
// All methods may be used concurrently.
type Transport struct {
	base *http.Transport
	// registered has the schemes that are not http and https: the Base itself.
	registered http.RoundTripper
	drain      drainLimits
	margin     time.Duration
	doubtAfter time.Duration // see sightings
	events     eventQueue
	counts     counts

	mu    sync.RWMutex
	hosts map[hostKey]*host
}

// maxHosts is how many hosts a Transport remembers, in a program that visits many.
const maxHosts = 10_000

// New makes a Transport. It returns an error if the Config of the Dialer is not valid on
// this system, if Margin or DrainTime is negative, or if the Base has something that its
// clone would lose.
func New(o Options) (*Transport, error) {
	for _, limit := range []struct {
		name  string
		value time.Duration
	}{{"Margin", o.Margin}, {"DrainTime", o.DrainTime}} {
		if limit.value < 0 {
			return nil, fmt.Errorf("transport: %s is %s: it cannot be negative", limit.name, limit.value)
		}
	}
	base, registered, err := o.base()
	if err != nil {
		return nil, err
	}
	t := &Transport{
		base:   base,
		drain:  drainLimits{bytes: cmp.Or(o.DrainLimit, defaultDrainLimit), time: cmp.Or(o.DrainTime, defaultDrainTime)},
		margin: cmp.Or(o.Margin, defaultMargin), doubtAfter: doubtAfter, events: eventQueue{Events: o.Events},
		hosts: map[hostKey]*host{},
	}
	t.registered = registered
	t.wrapDials()
	return t, nil
}

// RoundTrip sends a request, as [http.Transport.RoundTrip] does. The hooks of an
// httptrace.ClientTrace are called for each attempt, also if nothing was sent in it.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.base == nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, errors.New("transport: this Transport was not made by New, and has no connections")
	}
	if req.URL == nil || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return t.registered.RoundTrip(req) // which may know what to do, or says so
	}
	tr := &tracer{req: req}
	out := tr.traced()
	tr.body = guard(out)
	resp, err := t.base.RoundTrip(out)
	for tr.unsent() {
		if resp != nil { // to nothing: a server that says 408 before it closes
			resp.Body.Close()
			resp, err = nil, errUnsent
		}
		if cause := context.Cause(req.Context()); cause != nil {
			err = cause
			break
		}
		if again, failed := tr.again(out); failed != nil {
			err = failed
			break
		} else if !again {
			break
		}
		resp, err = t.base.RoundTrip(out)
	}
	tr.body.done(err != nil)
	if tr.reused {
		t.counts.reused.Add(1)
	}
	if err != nil {
		tr.lost()
		return nil, err
	}
	resp.Request = req
	t.counts.responses.Add(1)
	if resp.ProtoMajor == 1 || tr.joined {
		t.follow(resp, tr)
	}
	return resp, nil
}

// CloseIdleConnections closes the connections that no request uses.
func (t *Transport) CloseIdleConnections() {
	if t.base == nil {
		return
	}
	t.base.CloseIdleConnections()
}

// host returns what is remembered about a host.
func (t *Transport) host(key hostKey) *host {
	t.mu.RLock()
	h := t.hosts[key]
	t.mu.RUnlock()
	if h != nil {
		return h
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if h := t.hosts[key]; h != nil {
		return h
	}
	if len(t.hosts) >= maxHosts {
		t.forget(len(t.hosts) / 16)
	}
	h = &host{t: t, key: key}
	t.hosts[key] = h
	return h
}

// forget removes n hosts. It begins with hosts about which closes have shown nothing.
func (t *Transport) forget(n int) {
	for _, any := range []bool{false, true} {
		for key, h := range t.hosts {
			if n > 0 && (any || h.silent.shortest() == 0 && h.early.shortest() == 0) {
				delete(t.hosts, key)
				n--
			}
		}
	}
}
