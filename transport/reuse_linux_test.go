package transport_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/transport"
)

// 500 requests to one host, whose bodies are closed unread, reuse their connections.
func TestUnreadBodiesDoNotCostTheConnection(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 10_000)
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }, nil)
	opened := func(f func()) int64 {
		before := server.opened.Load()
		f()
		return server.opened.Load() - before
	}
	standard := transport.Standard(new(dialer.Dialer))
	defer standard.CloseIdleConnections()
	ours := newTransport(t, transport.Options{})
	const requests = 500
	assert.EqualValues(t, requests, opened(func() {
		for range requests {
			get(t, standard, server.URL)
		}
	}), "net/http closes a connection whose body was not read")
	// net/http gives up a connection whose writer has not reported within 50 ms that the
	// request was sent (maxWriteWaitBeforeConnReuse): that happens on a busy machine.
	assert.Less(t, opened(func() {
		for range requests {
			read(t, standard, server.URL)
		}
	}), int64(requests/10))
	made := opened(func() {
		for range requests {
			get(t, ours, server.URL)
		}
	})
	assert.Less(t, made, int64(requests/10))
	s := ours.Stats()
	assert.Equal(t, transport.Stats{
		Responses: requests, Opened: uint64(made), Reused: requests - uint64(made), Drained: requests * uint64(len(body)),
	}, s)
}

// A burst of concurrent requests keeps its connections, where net/http keeps two.
func TestABurstKeepsItsConnections(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond)
		io.WriteString(w, "x")
	}, nil)
	burst := func(rt http.RoundTripper) int64 {
		before := server.opened.Load()
		for range 2 {
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					resp, err := (&http.Client{Transport: rt}).Get(server.URL)
					if assert.NoError(t, err) {
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				})
			}
			wg.Wait()
		}
		return server.opened.Load() - before
	}
	standard := transport.Standard(new(dialer.Dialer))
	defer standard.CloseIdleConnections()
	assert.Greater(t, burst(standard), int64(30))
	assert.LessOrEqual(t, burst(newTransport(t, transport.Options{})), int64(21))
}

// Close reads a bounded number of bytes, and for a bounded time.
func TestEndlessBodies(t *testing.T) {
	t.Parallel()
	var stop atomic.Bool
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fast":
			for !stop.Load() {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		case "/long":
			w.Header().Set("Content-Length", "1000000")
			w.Write(make([]byte, 1_000_000))
		default:
			io.WriteString(w, "a little")
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	}, nil)
	defer stop.Store(true)
	for path, drained := range map[string]uint64{"/fast": 256<<10 + 1, "/long": 0, "/slow": 8} {
		rt := newTransport(t, transport.Options{DrainTime: 100 * time.Millisecond})
		for range 2 {
			began := time.Now()
			get(t, rt, server.URL+path)
			assert.Less(t, time.Since(began), 2*time.Second, path)
		}
		s := rt.Stats()
		assert.EqualValues(t, 2, s.Opened, "%s: the connection is closed", path)
		assert.Zero(t, s.PeerClosed+s.LostRaces+s.Dropped, "%s: %+v", path, s)
		assert.Equal(t, 2*drained, s.Drained, path)
	}
	rt := newTransport(t, transport.Options{DrainLimit: -1})
	get(t, rt, server.URL+"/long")
	assert.Zero(t, rt.Stats().Drained)
}
