package transport_test

import (
	"context"
	"errors"
	"io"
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

// A server that has a longer timeout than a close has shown once is noticed, at first by
// connections that no request needs, and no POST is lost for that.
func TestALongerTimeoutIsNoticed(t *testing.T) {
	t.Parallel()
	const before = 100 * time.Millisecond
	endless := origin{}.site
	run, wait := together(t)
	defer wait()
	for name, tt := range map[string]struct {
		reach func(testing.TB) site
		limit time.Duration // net/http's
		http2 bool
	}{
		"no timeout":            {reach: endless, limit: short},
		"no timeout, proxy":     {reach: through(endless, "http", 0), limit: short},
		"no timeout, TLS":       {reach: origin{tls: true}.site, limit: short},
		"no timeout, TLS proxy": {reach: through(origin{tls: true}.site, "https", 0), limit: short},
		"no timeout, HTTP/2":    {reach: origin{http2: true}.site, limit: short, http2: true},
		"a timeout":             {reach: origin{change: idleTimeout(short)}.site, limit: time.Minute},
		"a timeout, TLS":        {reach: origin{tls: true, change: idleTimeout(short)}.site, limit: time.Minute},
		"a timeout, HTTP/2":     {reach: origin{http2: true, change: idleTimeout(short)}.site, limit: time.Minute, http2: true},
		"a timeout, announced": {limit: time.Minute, reach: func(t testing.TB) site {
			b := &backend{timeout: always(short), says: time.Minute}
			return site{url: "http://" + b.start(t, false), base: trusting}
		}},
		"408": {reach: saying408(short), limit: time.Minute},
	} {
		run(name, func(t *testing.T) {
			s := tt.reach(t)
			base := s.base()
			base.IdleConnTimeout = tt.limit
			learned := make(chan time.Duration, 100)
			rt := newTransport(t, transport.Options{Base: base, Events: transport.Events{
				Learned: func(_ string, timeout time.Duration, how string) {
					if how == "observed closes" {
						learned <- timeout
					}
				},
			}})
			transport.DoubtAfter(rt, 1)
			transport.LearnFrom(connOf(t, rt, s.url), before)
			assert.Equal(t, before, <-learned)
			post := func() {
				req, _ := onceOnly(t, s.url)
				resp, err := rt.RoundTrip(req)
				if assert.NoError(t, err) {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
			var now time.Duration
			for round := 0; now == 0; round++ {
				var some sync.WaitGroup
				for range 8 {
					some.Go(post)
				}
				some.Wait()
				select {
				case now = <-learned:
				case <-time.After(before): // they are dropped after half of it
				}
			}
			assert.Greater(t, now, short/2)
			assert.Less(t, now, 10*time.Second)
			c := connOf(t, rt, s.url)
			assert.Equal(t, now/2, transport.IdleLimit(c))
			time.Sleep(before) // all were dropped by now
			reused := rt.Stats().Reused
			connOf(t, rt, s.url)
			assert.Equal(t, reused+1, rt.Stats().Reused)
		})
	}
}

// There are no more witnesses than are needed, none where the number of connections is
// limited, and CloseIdleConnections leaves none behind.
func TestWitnessesKeepToLimits(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		most, want int
	}{"no limit": {0, 16}, "MaxConnsPerHost": {1, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var open atomic.Int64
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") }, func(s *http.Server) {
				s.ConnState = func(_ net.Conn, s http.ConnState) {
					switch s {
					case http.StateNew:
						open.Add(1)
					case http.StateClosed:
						open.Add(-1)
					}
				}
			})
			base := trusting()
			base.MaxConnsPerHost = tt.most
			rt := newTransport(t, transport.Options{Base: base})
			transport.DoubtAfter(rt, 1)
			transport.LearnFrom(connOf(t, rt, server.URL), 40*time.Millisecond)
			for i := range 24 {
				get(t, rt, server.URL)
				testkit.Until(t, "it is dropped", func() bool { return rt.Stats().Dropped >= uint64(i+1) })
			}
			testkit.Until(t, "others are closed", func() bool { return open.Load() == int64(tt.want) })
			rt.CloseIdleConnections()
			testkit.Until(t, "all are closed", func() bool { return open.Load() == 0 })
		})
	}
}

// A connection without deadlines is no witness.
func TestAConnectionWithoutDeadlinesIsNoWitness(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") }, nil)
	base := dialing(server.Listener.Addr().String())
	dial := base.DialContext
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		return endless{c}, err
	}
	rt := newTransport(t, transport.Options{Base: base})
	transport.DoubtAfter(rt, 1)
	transport.LearnFrom(connOf(t, rt, server.URL), 100*time.Millisecond)
	for i := range 5 {
		c := connOf(t, rt, server.URL)
		assert.Equal(t, 50*time.Millisecond, transport.IdleLimit(c))
		testkit.Until(t, "it is dropped", func() bool { return rt.Stats().Dropped >= uint64(i+1) })
	}
	require.EqualValues(t, 5, server.opened.Load())
}

type endless struct{ net.Conn }

func (endless) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }
