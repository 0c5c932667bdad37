// Command http shows what decides whether net/http reuses a connection: whether a
// body was read, how many idle connections are kept, and what the server says; and
// where the time of a request goes.
//
//	go run ./http
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/transport"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// A trial is a way to make requests.
type trial struct {
	name       string
	transport  func() (http.RoundTripper, error)
	read       bool // the body, before it is closed
	close      bool // the body
	path       string
	concurrent int
	requests   int
}

// A result is what it cost.
type result struct {
	made, reused, timeWait int64
	handshakes             int64 // of TLS
}

const sequential = 1

func run(w io.Writer) error {
	fmt.Fprintf(w, "%-52s %9s %7s %7s %10s\n", "100 requests", "made", "reused", "TLS", "TIME-WAIT")
	for _, t := range trials() {
		r, err := t.run()
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		fmt.Fprintf(w, "%-52s %9d %7d %7d %10s\n", t.name, r.made, r.reused, r.handshakes, orUnknown(r.timeWait))
	}
	fmt.Fprintln(w)
	return split(w)
}

func orUnknown(n int64) string {
	if n < 0 {
		return "?"
	}
	return fmt.Sprint(n)
}

func trials() []trial {
	standard := func() (http.RoundTripper, error) { return transport.Standard(new(dialer.Dialer)), nil }
	with := func(change func(*http.Transport)) func() (http.RoundTripper, error) {
		return func() (http.RoundTripper, error) {
			t := transport.Standard(new(dialer.Dialer))
			change(t)
			return t, nil
		}
	}
	ours := func() (http.RoundTripper, error) { return transport.New(transport.Options{}) }
	return []trial{
		{"net/http, body not read", standard, false, true, "/", sequential, 100},
		{"net/http, body read", standard, true, true, "/", sequential, 100},
		{"net/http, body read, bursts of 10, 2 kept idle", standard, true, true, "/slow", 10, 100},
		{"net/http, body read, bursts of 10, 10 kept idle", with(func(t *http.Transport) { t.MaxIdleConnsPerHost = 10 }), true, true, "/slow", 10, 100},
		{"transport, body not read", ours, false, true, "/", sequential, 100},
		{"transport, body not read, bursts of 10", ours, false, true, "/slow", 10, 100},
		{"net/http, empty body not read", standard, false, true, "/empty", sequential, 100},
		{"net/http, response dropped, body never closed", standard, false, false, "/", sequential, 100},
		{"net/http, two names of one address", standard, true, true, "/names", sequential, 100},
		{"net/http, the server has SetKeepAlivesEnabled(false)", standard, true, true, "/off", sequential, 100},
		{"net/http, the client has DisableKeepAlives", with(func(t *http.Transport) { t.DisableKeepAlives = true }), true, true, "/", sequential, 100},
		{"net/http, TLS, body not read", with(trusting), false, true, "/tls", sequential, 100},
		{"net/http, TLS, body read", with(trusting), true, true, "/tls", sequential, 100},
	}
}

// trusting lets the client accept the certificate of a server on loopback, and
// leaves HTTP/2 out, which has one connection anyway.
func trusting(t *http.Transport) {
	t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // of httptest, on loopback
	t.ForceAttemptHTTP2 = false
}

func (t trial) run() (result, error) {
	var made atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/empty":
			return
		case "/slow":
			time.Sleep(5 * time.Millisecond)
		}
		io.WriteString(w, strings.Repeat("x", 10_000))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			made.Add(1)
		}
	}
	if t.path == "/off" {
		server.Config.SetKeepAlivesEnabled(false)
	}
	if t.path == "/tls" {
		server.StartTLS()
	} else {
		server.Start()
	}
	defer server.Close()

	rt, err := t.transport()
	if err != nil {
		return result{}, err
	}
	defer rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
	var r result
	before := timeWait(server.Listener.Addr()) // of others that had this port
	if err := t.requestAll(rt, server, &r); err != nil {
		return r, err
	}
	r.made = made.Load()
	if r.timeWait = -1; before >= 0 {
		r.timeWait = max(0, timeWait(server.Listener.Addr())-before)
	}
	return r, nil
}

// requestAll sends the requests in bursts of as many as are wanted at a time.
func (t trial) requestAll(rt http.RoundTripper, server *httptest.Server, r *result) error {
	for burst := range t.requests / t.concurrent {
		address := server.URL
		if t.path == "/names" && burst%2 == 1 {
			address = strings.Replace(address, "127.0.0.1", "localhost", 1)
		}
		var wg sync.WaitGroup
		errs := make([]error, t.concurrent)
		for i := range t.concurrent {
			wg.Go(func() { errs[i] = t.request(rt, address+t.path, r) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

func (t trial) request(rt http.RoundTripper, url string, r *result) error {
	trace := &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if info.Reused {
				atomic.AddInt64(&r.reused, 1)
			}
		},
		TLSHandshakeDone: func(tls.ConnectionState, error) { atomic.AddInt64(&r.handshakes, 1) },
	}
	ctx, cancel := context.WithCancel(httptrace.WithClientTrace(context.Background(), trace))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		cancel()
		return err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		cancel()
		return err
	}
	if t.read {
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			cancel()
			return err
		}
	}
	if t.close {
		resp.Body.Close()
		cancel()
		return nil
	}
	// A program that does _, err := client.Get(url) leaks the connection. This one
	// cleans up when the trial is over.
	time.AfterFunc(time.Second, cancel)
	return nil
}

// timeWait counts the sockets that are left of connections to a server, of both
// ends, -1 where there is no list of sockets.
func timeWait(server net.Addr) (n int64) {
	port := server.(*net.TCPAddr).AddrPort().Port()
	f := inspect.Filter{States: []inspect.State{inspect.TimeWait}}
	for s, err := range inspect.List(f) {
		if err != nil {
			return -1
		}
		if hasPort(s.Local, port) || hasPort(s.Peer, port) {
			n++
		}
	}
	return n
}

func hasPort(a netip.AddrPort, port uint16) bool { return a.Port() == port }
