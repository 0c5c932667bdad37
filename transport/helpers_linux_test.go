package transport_test

import (
	"cmp"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// A counting server counts the connections that are made to it.
type counting struct {
	*httptest.Server
	opened atomic.Int64
}

func serve(t testing.TB, handler http.HandlerFunc, change func(*http.Server)) *counting {
	t.Helper()
	c := &counting{Server: httptest.NewUnstartedServer(handler)}
	c.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			c.opened.Add(1)
		}
	}
	if change != nil {
		change(c.Config)
	}
	c.Start()
	t.Cleanup(c.Close)
	return c
}

func newTransport(t testing.TB, o transport.Options) *transport.Transport {
	t.Helper()
	o.DrainTime = cmp.Or(o.DrainTime, 30*time.Second) // the default is short for a busy machine
	rt, err := transport.New(o)
	require.NoError(t, err)
	t.Cleanup(rt.CloseIdleConnections)
	return rt
}

// get makes a request and closes its body unread.
func get(t testing.TB, rt http.RoundTripper, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.Same(t, req, resp.Request)
	require.NoError(t, resp.Body.Close())
	return resp
}

func read(t testing.TB, rt http.RoundTripper, url string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	discard   = log.New(io.Discard, "", 0)
	neverDone = context.Background()
)

// connOf makes a request, reads the response, and returns the connection.
func connOf(t testing.TB, rt http.RoundTripper, url string) (c net.Conn) {
	t.Helper()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { c = i.Conn }})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	roundTrip(t, rt, req)
	return c
}

// stalls watches how long goroutines have to wait for their turn while the test
// runs, and returns the longest so far.
func stalls(t testing.TB) (longest func() time.Duration) {
	t.Helper()
	const tick = 5 * time.Millisecond
	var most atomic.Int64
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		for due := time.Now().Add(tick); ; due = time.Now().Add(tick) {
			select {
			case <-done:
				return
			case <-time.After(time.Until(due)):
				most.Store(max(most.Load(), int64(time.Since(due))))
			}
		}
	}()
	return func() time.Duration { return time.Duration(most.Load()) }
}

// together returns what runs subtests that mostly wait, all at the same time, and what
// waits for them: of parallel ones go test runs as many as there are processors.
func together(t *testing.T) (run func(name string, test func(*testing.T)), wait func()) {
	var wg sync.WaitGroup
	return func(name string, test func(*testing.T)) { wg.Go(func() { t.Run(name, test) }) }, wg.Wait
}
