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

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/transport"
)

// spare gives rt a connection that gets no request: the one that it was made for has
// gone. It returns when that is connected, perhaps before a handshake.
func spare(t testing.TB, rt func(*http.Transport) http.RoundTripper, s site) http.RoundTripper {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	gone, connected := make(chan struct{}), make(chan struct{}, 100)
	base := s.base()
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		cancel()
		<-gone
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		connected <- struct{}{}
		return far{c}, err
	}
	with := rt(base)
	_, err := with.RoundTrip(must(http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)))
	assert.ErrorIs(t, err, context.Canceled)
	close(gone)
	<-connected
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
			for range attempts { // as in TestNoPOSTIsLost; servers bound handshakes, too
				longest := stalls(t)
				var ours, bare int64
				var both sync.WaitGroup
				both.Go(func() {
					ours = lost(func(base *http.Transport) http.RoundTripper {
						return newTransport(t, transport.Options{Base: base})
					})
				})
				both.Go(func() {
					bare = lost(func(base *http.Transport) http.RoundTripper {
						t.Cleanup(base.CloseIdleConnections)
						return base
					})
				})
				both.Wait()
				stalled := longest()
				t.Logf("of %d POSTs %d were lost, of net/http's %d; goroutines waited for up to %s", clients, ours, bare, stalled)
				if ours == 0 {
					return
				}
				require.Greater(t, stalled, disturbing, "POSTs were lost")
			}
			t.Errorf("in each of %d attempts POSTs were lost and a goroutine had to wait for more than %s: the machine is too busy to tell why", attempts, disturbing)
		})
	}
}

// The same without luck: the server does not answer a request on a connection that was there
// before the request. That needs no time of the server's, so it holds on a busy machine too.
func TestASpareConnectionGetsNoLateRequest(t *testing.T) {
	t.Parallel()
	run, wait := together(t)
	defer wait()
	for name, o := range map[string]origin{"HTTP/1": {}, "TLS": {tls: true}, "HTTP/2": {http2: true}} {
		run(name, func(t *testing.T) {
			type key struct{}
			var accepted, late atomic.Int64
			o.change = func(s *http.Server) {
				s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
					accepted.Add(1)
					return context.WithValue(ctx, key{}, made{c, time.Now()})
				}
			}
			o.handler = func(w http.ResponseWriter, r *http.Request) {
				began, err := time.Parse(time.RFC3339Nano, r.Header.Get("Began"))
				assert.NoError(t, err)
				if c := r.Context().Value(key{}).(made); c.at.Before(began) {
					late.Add(1)
					c.Close()
				}
			}
			s := o.site(t)
			post := func(rt http.RoundTripper) error {
				time.Sleep(1200 * time.Millisecond) // more than spareFor (idle.go), which is what is tested: the connection is too old then
				req, _ := onceOnly(t, s.url)
				req.Header.Set("Began", time.Now().Format(time.RFC3339Nano))
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
			testkit.Until(t, "both are accepted", func() bool { return accepted.Load() == 2 })
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
	for range attempts { // it takes half a second on a busy machine, perhaps
		rt := spare(t, func(base *http.Transport) http.RoundTripper {
			return newTransport(t, transport.Options{Base: base})
		}, site{url: server.URL, base: trusting}).(*transport.Transport)
		get(t, rt, server.URL)
		if rt.Stats().Opened == 1 {
			return
		}
	}
	t.Errorf("in each of %d attempts another connection was made", attempts)
}
