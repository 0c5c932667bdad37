package transport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/transport"
)

// onceOnly is a POST with a body that can be read once.
func onceOnly(t testing.TB, url string) (*http.Request, *onceBody) {
	t.Helper()
	b := &onceBody{Reader: strings.NewReader("body")}
	req, err := http.NewRequest(http.MethodPost, url, b)
	require.NoError(t, err)
	return req, b
}

// Requests that come at the same time, when an HTTP/2 connection was idle for too
// long, all go to another one, whatever their bodies.
func TestHTTP2RequestsMoveToAnotherConnection(t *testing.T) {
	t.Parallel()
	site := origin{http2: true}.site(t)
	rt := newTransport(t, transport.Options{Base: site.base()})
	for round := range 3 {
		conn := connOf(t, rt, site.url)
		require.Zero(t, transport.IdleLimit(conn))
		time.Sleep(60 * time.Millisecond)
		transport.LearnFrom(conn, 100*time.Millisecond) // no timer knows, so that only requests do
		before := rt.Stats()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				req, body := onceOnly(t, site.url)
				resp, err := rt.RoundTrip(req)
				if !assert.NoError(t, err, "round %d", round) {
					return
				}
				assert.Equal(t, 2, resp.ProtoMajor)
				text, err := io.ReadAll(resp.Body)
				assert.NoError(t, err)
				assert.Equal(t, "x", string(text))
				resp.Body.Close()
				assert.EqualValues(t, 1, body.closed.Load())
			})
		}
		wg.Wait()
		after := rt.Stats()
		assert.Greater(t, after.Dropped, before.Dropped) // the new one, too, if that took long
		assert.Greater(t, after.Opened, before.Opened)
		assert.Zero(t, after.LostRaces+after.PeerClosed)
		transport.Forget(conn)
		rt.CloseIdleConnections()
	}
}

// While a request has an HTTP/2 connection it is not idle, however long that takes.
func TestHTTP2InUseIsNotIdle(t *testing.T) {
	t.Parallel()
	finish := make(chan struct{})
	server := origin{http2: true, handler: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "x")
		if r.URL.Path == "/long" {
			http.NewResponseController(w).Flush()
			<-finish
		}
	}}.site(t)
	rt := newTransport(t, transport.Options{Base: server.base()})
	long, err := rt.RoundTrip(must(http.NewRequest(http.MethodGet, server.url+"/long", nil)))
	require.NoError(t, err)
	conn := connOf(t, rt, server.url)
	transport.LearnFrom(conn, 100*time.Millisecond)
	for range 3 {
		time.Sleep(80 * time.Millisecond)
		assert.True(t, conn == connOf(t, rt, server.url), "the same connection")
	}
	assert.Zero(t, rt.Stats().Dropped)
	close(finish)
	require.NoError(t, long.Body.Close())
	require.NoError(t, long.Body.Close())
	testkit.Until(t, "it is dropped", func() bool { return rt.Stats().Dropped == 1 })
	assert.Zero(t, rt.Stats().LostRaces+rt.Stats().PeerClosed)
}

// All requests that a server leaves without an answer are lost races, and tell its
// timeout if the connection had been idle.
func TestHTTP2LostRaces(t *testing.T) {
	t.Parallel()
	type key struct{}
	var both sync.WaitGroup
	both.Add(2)
	var requests atomic.Int64
	server := origin{http2: true,
		change: func(s *http.Server) {
			s.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, key{}, c) }
		},
		handler: func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1) > 1 {
				both.Done()
				both.Wait()
				r.Context().Value(key{}).(net.Conn).Close()
			}
		},
	}.site(t)
	var lost atomic.Int64
	rt := newTransport(t, transport.Options{Base: server.base(), Events: transport.Events{
		LostRace: func(_ string, idle time.Duration) {
			assert.GreaterOrEqual(t, idle, 100*time.Millisecond)
			lost.Add(1)
		},
	}})
	conn := connOf(t, rt, server.url)
	time.Sleep(100 * time.Millisecond)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			req, _ := onceOnly(t, server.url)
			_, err := rt.RoundTrip(req)
			assert.Error(t, err)
		})
	}
	wg.Wait()
	// net/http closes the connection after the requests have returned, perhaps.
	testkit.Until(t, "both are accounted for", func() bool { return lost.Load() == 2 })
	assert.EqualValues(t, 2, rt.Stats().LostRaces)
	assert.Zero(t, rt.Stats().PeerClosed)
	assert.GreaterOrEqual(t, transport.IdleLimit(conn), 50*time.Millisecond, "half of it")
}
