package transport_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// spare gives rt a connection that gets no request: the one that it was made for has
// gone. It returns when rt has it.
func spare(t testing.TB, rt func(*http.Transport) http.RoundTripper, s site) http.RoundTripper {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	base := s.base()
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		cancel()
		<-gone
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return far{c}, err
	}
	with := rt(base)
	_, err := with.RoundTrip(must(http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)))
	assert.ErrorIs(t, err, context.Canceled)
	close(gone)
	return with
}

// TestSpareConnections sends POSTs on connections that had no request before, just as
// servers give them up for that: they wait so long for a request, whatever they do with
// connections that had one.
func TestSpareConnections(t *testing.T) {
	t.Parallel()
	const clients = 16
	header := func(s *http.Server) { s.ReadHeaderTimeout, s.IdleTimeout = short, time.Minute }
	run, wait := together(t)
	defer wait()
	for name, row := range map[string]struct {
		reach func(testing.TB) site
		after time.Duration
	}{
		"Go":              {origin{change: header}.site, short},
		"Go, TLS":         {origin{tls: true, change: header}.site, short},
		"Go, HTTP/2":      {origin{http2: true, change: idleTimeout(short)}.site, short},
		"nginx":           {nginx("http", "client_header_timeout 1s; keepalive_timeout 60s;"), time.Second},
		"nginx, TLS":      {nginx("https", "client_header_timeout 1s; keepalive_timeout 60s;"), time.Second},
		"nginx, HTTP/2":   {nginx("h2", "client_header_timeout 1s; keepalive_timeout 60s;"), time.Second},
		"haproxy":         {haproxy("http", "http-request", short), short},
		"haproxy, TLS":    {haproxy("https", "http-request", short), short},
		"haproxy, HTTP/2": {haproxy("h2", "http-request", short), short},
	} {
		run(name, func(t *testing.T) {
			s := row.reach(t)
			lost := func(rt func(*http.Transport) http.RoundTripper) (n int64) {
				var lost atomic.Int64
				var wg sync.WaitGroup
				for i := range clients {
					wg.Go(func() {
						with := spare(t, rt, s)
						time.Sleep(row.after + time.Duration(i-clients/4)*500*time.Microsecond)
						req, _ := onceOnly(t, s.url)
						resp, err := with.RoundTrip(req)
						if err == nil {
							defer resp.Body.Close()
						}
						if err != nil || resp.StatusCode != http.StatusOK { // 408
							lost.Add(1)
						}
					})
				}
				wg.Wait()
				return lost.Load()
			}
			ours := make(chan int64)
			go func() {
				ours <- lost(func(base *http.Transport) http.RoundTripper {
					return newTransport(t, transport.Options{Base: base})
				})
			}()
			bare := lost(func(base *http.Transport) http.RoundTripper {
				t.Cleanup(base.CloseIdleConnections)
				return base
			})
			assert.Zero(t, <-ours, "of %d; of net/http's %d", clients, bare)
			t.Logf("of net/http's %d POSTs %d were lost", clients, bare)
		})
	}
}

// The same where there is no luck: a server that does not answer what comes too late.
func TestASpareConnectionGetsNoLateRequest(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]origin{"HTTP/1": {}, "TLS": {tls: true}, "HTTP/2": {http2: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			type key struct{}
			var late atomic.Int64
			o.change = func(s *http.Server) {
				s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
					return context.WithValue(ctx, key{}, made{c, time.Now()})
				}
			}
			o.handler = func(w http.ResponseWriter, r *http.Request) {
				if c := r.Context().Value(key{}).(made); time.Since(c.at) > 500*time.Millisecond {
					late.Add(1)
					c.Close()
				}
			}
			s := o.site(t)
			post := func(rt http.RoundTripper) error {
				time.Sleep(700 * time.Millisecond)
				req, _ := onceOnly(t, s.url)
				resp, err := rt.RoundTrip(req)
				if err == nil {
					resp.Body.Close()
				}
				return err
			}
			bare := spare(t, func(base *http.Transport) http.RoundTripper {
				t.Cleanup(base.CloseIdleConnections)
				return base
			}, s)
			ours := spare(t, func(base *http.Transport) http.RoundTripper {
				return newTransport(t, transport.Options{Base: base})
			}, s).(*transport.Transport)
			var wg sync.WaitGroup
			wg.Go(func() { assert.Error(t, post(bare), "net/http's is lost") })
			wg.Go(func() { assert.NoError(t, post(ours)) })
			wg.Wait()
			assert.EqualValues(t, 1, late.Load())
			stats := ours.Stats()
			assert.EqualValues(t, 2, stats.Opened, "%+v", stats)
			assert.EqualValues(t, 1, stats.Dropped, "%+v", stats)
		})
	}
}

// A made connection is one of a certain age.
type made struct {
	net.Conn
	at time.Time
}

// A spare connection is used, if that is soon.
func TestASpareConnectionIsUsed(t *testing.T) {
	t.Parallel()
	server := serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
	rt := spare(t, func(base *http.Transport) http.RoundTripper {
		return newTransport(t, transport.Options{Base: base})
	}, site{url: server.URL, base: trusting}).(*transport.Transport)
	for began := time.Now(); rt.Stats().Opened == 0; time.Sleep(time.Millisecond) {
		require.Less(t, time.Since(began), 10*time.Second)
	}
	time.Sleep(10 * time.Millisecond)
	get(t, rt, server.URL)
	s := rt.Stats()
	assert.EqualValues(t, 1, s.Opened, "%+v", s)
}
