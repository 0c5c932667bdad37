package transport_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
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

// A server that says after how long it closes is believed, and nothing is sent on a
// connection that it may be closing.
func TestKeepAliveHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header  string
		learned time.Duration // 0: nothing
		limit   time.Duration // how long the connection may be idle; 0: as long as net/http lets it
	}{
		{"timeout=5, max=100", 5 * time.Second, 4 * time.Second},
		{"max=100, Timeout = 7", 7 * time.Second, 6 * time.Second},
		{"timeout=1", time.Second, 500 * time.Millisecond},
		{"timeout=0", 0, 1},
		{"timeout=3600", time.Hour, time.Hour - time.Second},
		{"timeout=99999999999999999999999", century, century - time.Second},
		{"timeout=18446744073709551615", century, century - time.Second},
		{"timeout=5; max=100", 5 * time.Second, 4 * time.Second},
		{`max="100"; timeout="5"`, 5 * time.Second, 4 * time.Second},
		{`timeout= "5" ,x`, 5 * time.Second, 4 * time.Second},
		{`timeout="5`, -1, 0},
		{`timeout=x, timeout=6`, 6 * time.Second, 5 * time.Second},
		{"timeout=-5", -1, 0},
		{"timeout=5.5", -1, 0},
		{"timeout=x", -1, 0},
		{"timeout", -1, 0},
		{"=,,=;timeout", -1, 0},
		{"", -1, 0},
	} {
		t.Run(tt.header, func(t *testing.T) {
			t.Parallel()
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if tt.header != "" {
					w.Header().Set("Keep-Alive", tt.header)
				}
				io.WriteString(w, "x")
			}, nil)
			learned := make(chan time.Duration, 10)
			rt := newTransport(t, transport.Options{Events: transport.Events{
				Learned: func(host string, timeout time.Duration, how string) {
					assert.Equal(t, server.URL, host)
					assert.Equal(t, "Keep-Alive header", how)
					learned <- timeout
				},
			}})
			var conn net.Conn
			for range 3 {
				conn = connOf(t, rt, server.URL)
			}
			if tt.learned >= 0 {
				assert.Equal(t, tt.learned, <-learned)
			}
			assert.Empty(t, learned)
			assert.Equal(t, tt.limit, transport.IdleLimit(conn))
			if tt.limit != 1 {
				assert.EqualValues(t, 1, server.opened.Load())
			}
		})
	}
}

const century = 100 * 365 * 24 * time.Hour

// A connection that is idle for longer is gone before the server closes it.
func TestIdleConnectionsAreDroppedFirst(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") },
		func(s *http.Server) { require.NoError(t, transport.Announce(s, time.Second)) })
	dropped := make(chan time.Duration, 10)
	rt := newTransport(t, transport.Options{Events: transport.Events{
		Dropped: func(_ string, idle time.Duration) { dropped <- idle },
	}})
	get(t, rt, server.URL)
	get(t, rt, server.URL)
	idle := <-dropped
	assert.Less(t, idle, 900*time.Millisecond)
	assert.Greater(t, idle, 400*time.Millisecond)
	get(t, rt, server.URL)
	s := rt.Stats()
	assert.EqualValues(t, 2, s.Opened)
	assert.EqualValues(t, 1, s.Dropped)
	assert.Zero(t, s.LostRaces+s.PeerClosed)
}

// Without a header, a close shows the timeout. One close is enough, also over TLS, whose close_notify
// comes before the FIN and is no activity, and over HTTP/2, where Go's server says
// GOAWAY a second before that.
func TestObservedCloses(t *testing.T) {
	t.Parallel()
	run, wait := together(t)
	defer wait()
	for name, o := range map[string]origin{"plain": {}, "TLS": {tls: true}, "HTTP/2": {http2: true}} {
		run(name, func(t *testing.T) {
			const timeout = 300 * time.Millisecond
			o.change = idleTimeout(timeout)
			site := o.site(t)
			for range 10 {
				closed := make(chan time.Duration, 10)
				learned := make(chan time.Duration, 10)
				rt := newTransport(t, transport.Options{Base: site.base(), Events: transport.Events{
					PeerClosed: func(_ string, idle time.Duration) { closed <- idle },
					Learned: func(_ string, timeout time.Duration, how string) {
						assert.Equal(t, "observed closes", how)
						learned <- timeout
					},
				}})
				read(t, rt, site.url)
				idle := <-closed
				assert.Greater(t, idle, timeout/2, "the answer may be read late")
				assert.Equal(t, idle, <-learned)
				limit := transport.IdleLimit(connOf(t, rt, site.url))
				assert.Equal(t, idle/2, limit)
				if limit > timeout*4/5 {
					continue // a busy machine saw the close late
				}
				testkit.Until(t, "the second ends", func() bool { s := rt.Stats(); return s.Dropped+s.PeerClosed == 2 })
				if rt.Stats().Dropped == 1 {
					return
				}
			}
			t.Error("no second connection was dropped before the server closed it")
		})
	}
}

// A server that restarts closes all its connections at once, whatever their age:
// no timeout. It rests on their being seen within 200 ms of each other. Where a machine
// was too busy for that, it is tried again.
func TestARestartIsNoTimeout(t *testing.T) {
	t.Parallel()
	const attempts = 8
	for range attempts {
		learned, seen := restart(t)
		if learned == 0 {
			return
		}
		require.False(t, transport.IsRestart(seen), "%s was learned, although these were seen at once: %v", learned, seen)
	}
	t.Errorf("in none of %d attempts enough closes were seen at once: the machine is too busy", attempts)
}

// restart returns what is learned of a server that restarts, and the idle times of the
// closes that were seen at once, within three quarters of those 200 ms.
func restart(t *testing.T) (timeout time.Duration, seen []time.Duration) {
	connections := make(chan net.Conn, 100)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		age, err := time.ParseDuration(r.URL.Query().Get("answer-after"))
		if err == nil {
			time.Sleep(age)
		}
		io.WriteString(w, "x")
	}, func(s *http.Server) {
		s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			connections <- c
			return ctx
		}
	})
	var mu sync.Mutex
	var first time.Time
	var learned atomic.Int64
	rt := newTransport(t, transport.Options{Events: transport.Events{
		Learned: func(_ string, timeout time.Duration, _ string) { learned.Store(int64(timeout)) },
		PeerClosed: func(_ string, idle time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			if first.IsZero() {
				first = time.Now()
			}
			if time.Since(first) < 150*time.Millisecond {
				seen = append(seen, idle)
			}
		},
	}})
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() { read(t, rt, fmt.Sprintf("%s/?answer-after=%dms", server.URL, 100*i)) })
	}
	wg.Wait()
	time.Sleep(50 * time.Millisecond) // the youngest is idle for so long, the oldest for 950 ms
	for range len(connections) {
		(<-connections).Close()
	}
	// Not all ten, if one of the requests was late and found a connection that was free.
	testkit.Until(t, "they are closed", func() bool { return rt.Stats().PeerClosed >= 5 })
	testkit.Until(t, "what was learned, or not, is settled", func() bool {
		return learned.Load() != 0 || transport.IdleLimit(connOf(t, rt, server.URL)) == 0
	})
	assert.Zero(t, rt.Stats().LostRaces)
	mu.Lock()
	defer mu.Unlock()
	return time.Duration(learned.Load()), slices.Clone(seen)
}

// What a server announces counts for the connection on which it does, as long as
// that lives, and for no other.
func TestTheHeaderBelongsToItsConnection(t *testing.T) {
	t.Parallel()
	var header atomic.Bool
	header.Store(true)
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if header.Load() {
			w.Header().Set("Keep-Alive", "timeout=5")
		}
		io.WriteString(w, "x")
	}, nil)
	rt := newTransport(t, transport.Options{})
	conn := connOf(t, rt, server.URL)
	assert.Equal(t, 4*time.Second, transport.IdleLimit(conn))
	header.Store(false)
	for range 5 {
		require.Same(t, conn, connOf(t, rt, server.URL))
		assert.Equal(t, 4*time.Second, transport.IdleLimit(conn))
	}
	rt.CloseIdleConnections()
	assert.Zero(t, transport.IdleLimit(connOf(t, rt, server.URL)))
}

// A server that takes so many requests on a connection gets no more.
func TestMaxOfTheHeader(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		header func(use int64) string
		uses   int64 // of each connection
	}{
		"left (httpd)":    {func(use int64) string { return fmt.Sprintf("timeout=5, max=%d", max(4-use, 0)) }, 3},
		"in all (Node)":   {func(int64) string { return "timeout=5, max=3" }, 3},
		"one":             {func(int64) string { return "timeout=5; max=1" }, 1},
		"none":            {func(int64) string { return `max="0"` }, 1},
		"fewer than said": {func(use int64) string { return fmt.Sprintf("max=%d", max(10-5*use, 0)) }, 2},
		"not a number":    {func(int64) string { return "timeout=5, max=-1" }, 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			type key struct{}
			var most atomic.Int64
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				use := r.Context().Value(key{}).(*atomic.Int64).Add(1)
				most.Store(max(most.Load(), use))
				w.Header().Set("Keep-Alive", tt.header(use))
				io.WriteString(w, "x")
			}, func(s *http.Server) {
				s.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
					return context.WithValue(ctx, key{}, new(atomic.Int64))
				}
			})
			rt := newTransport(t, transport.Options{})
			for range 12 {
				req := must(http.NewRequest(http.MethodPost, server.URL, io.NopCloser(strings.NewReader("body"))))
				resp, err := rt.RoundTrip(req)
				require.NoError(t, err)
				resp.Body.Close()
			}
			assert.Equal(t, tt.uses, most.Load())
			assert.Equal(t, 12/tt.uses, server.opened.Load())
		})
	}
}
