package transport_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// A counting server tells how many connections were made to it.
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
