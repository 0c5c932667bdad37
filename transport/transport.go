package transport

import (
	"context"
	"fmt"
	"net"
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

// Options are how a Transport is made. The zero value is a good one.
type Options struct {
	// Base is what to clone: proxies, TLS, limits. nil stands for
	// http.DefaultTransport. To change something, change a clone of that:
	//
	//	base := http.DefaultTransport.(*http.Transport).Clone()
	//	base.TLSClientConfig = &tls.Config{RootCAs: authorities}
	//	t, err := transport.New(transport.Options{Base: base})
	//
	// HTTP/2 is spoken where the Base would speak it. RegisterProtocol of the Base
	// holds for schemes that are not http or https; for these New returns an error.
	//
	// MaxIdleConnsPerHost 0 stands for MaxIdleConns, or for 100 where that is 0, too:
	// net/http keeps 2 and closes the others after every burst.
	Base *http.Transport

	// Dialer makes the connections. nil stands for the Base's DialContext or Dial;
	// where there is none, or only that of http.DefaultTransport, for a dialer with
	// what this system takes of [sockopt.Recommended].
	//
	// A Base that dials itself (DialContext, Dial, DialTLSContext, DialTLS) and a
	// Dialer contradict each other: New returns an error.
	Dialer *dialer.Dialer

	// DrainLimit is how many bytes of an unread body Close reads, so that the
	// connection can be used again: 0 stands for 256 KiB, negative for none. A stream
	// of HTTP/2 ends without that.
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

	// Plan, if it has a Heartbeat, limits how long a connection may be idle, and
	// sets the health pings of HTTP/2.
	Plan *align.Plan

	// Events are called as things happen.
	Events Events
}

// A Transport is an http.RoundTripper over one *http.Transport, whose limits all
// hold. net/http picks connections; a Transport decides, just before the first
// byte of a request is sent, whether that one may be used:
//
//   - It was idle for at least a Margin less than what its server announced on that
//     very connection, or has had as many requests as that server takes: it is
//     dropped, and the request sent on another one. Connections that are not
//     needed are dropped at that time.
//   - It had no request yet, and was made half a second ago: another one was free before
//     it was. Servers wait less long for a first request than for another one.
//   - Its server announced nothing, and one such connection of that host was seen
//     to be closed after so long: likewise.
//   - The server has ended it, or has sent something that nobody asked for: likewise.
//
// So nothing is lost by such a decision, also not a POST whose body can be read
// only once. A server's timeout counts from when it has sent its response, here from
// when the last bytes of that came. Where a body is larger than what the kernel
// takes in, that is when it is read: who reads such bodies slowly needs a larger
// Margin.
//
// This holds for HTTP/1 and HTTP/2, over TLS and through proxies, too. An HTTP/2
// connection is idle while it has no request at all. Its server has no header to
// announce a timeout with (RFC 9113, 8.2.2); it says GOAWAY when it ends the
// connection, and net/http heeds that: what was on its way then is sent again if it has
// no body or a GetBody, as http.NewRequest sets for strings and bytes, and fails if it
// has another body. After one close was seen nothing is on its way at that time.
// A connection that a Base's DialTLSContext or DialTLS makes as a *tls.Conn is not
// watched: what is below it is not known.
//
// All methods may be used concurrently.
type Transport struct {
	base *http.Transport
	// registered has the schemes that are not http and https: the Base itself.
	registered http.RoundTripper
	drain      drainLimits
	margin     time.Duration
	events     Events
	counts     counts

	mu    sync.RWMutex
	hosts map[hostKey]*host
}

// maxHosts is how many hosts are remembered, for programs that visit many.
const maxHosts = 10_000

// New makes a Transport. It returns an error if the Dialer's Config is not valid
// here, a limit is negative, or the Base has something that would be lost.
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
		drain:  drainLimits{bytes: or(o.DrainLimit, defaultDrainLimit), time: or(o.DrainTime, defaultDrainTime)},
		margin: or(o.Margin, defaultMargin), events: o.Events,
		hosts: map[hostKey]*host{},
	}
	t.registered = registered
	dial := base.DialContext
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		t.counts.opened.Add(1)
		return newConn(c, t, address), nil
	}
	return t, nil
}

func or[T int64 | time.Duration](value, standard T) T {
	if value == 0 {
		return standard
	}
	return value
}

// RoundTrip does what http.Transport's does, with the connections of the
// Transport. As there, the hooks of an httptrace.ClientTrace are called for each
// attempt, also for one that nothing was sent of.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return t.registered.RoundTrip(req) // which may know what to do, or says so
	}
	tr := tracers.Get().(*tracer)
	tr.req = req
	c := &call{Context: req.Context(), trace: &tr.trace, t: t}
	out := c.traced(req)
	tr.body = guard(out)
	resp, err := t.base.RoundTrip(out)
	for tr.unsent() {
		if resp != nil { // to nothing: a server that says 408 before it closes
			resp.Body.Close()
			resp, err = nil, errUnsent
		}
		if cause := context.Cause(c); cause != nil {
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
		return nil, err // net/http may still call the tracer
	}
	resp.Request = req
	t.counts.responses.Add(1)
	if resp.ProtoMajor == 1 || tr.joined {
		c.follow(resp, tr)
	}
	tr.release()
	return resp, nil
}

// CloseIdleConnections closes those that no request uses.
func (t *Transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

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
	if len(t.hosts) >= maxHosts { // forget some, any
		n := len(t.hosts) / 16
		for k := range t.hosts {
			if n--; n < 0 {
				break
			}
			delete(t.hosts, k)
		}
	}
	h = &host{t: t, key: key}
	t.hosts[key] = h
	return h
}
