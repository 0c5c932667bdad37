package transport_test

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/transport"
)

// A server that says after how long it closes is believed, and nothing is sent on a
// connection that it may be closing.
func TestKeepAliveHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header  string
		learned time.Duration // 0: nothing
		limit   time.Duration // how long a connection is kept idle at most, about; 0: the usual 90 s
	}{
		{"timeout=5, max=100", 5 * time.Second, 4 * time.Second},
		{"max=100, Timeout = 7", 7 * time.Second, 6 * time.Second},
		{"timeout=1", time.Second, 500 * time.Millisecond},
		{"timeout=0", 0, 1},
		{"timeout=3600", time.Hour, 0},
		{"timeout=99999999999999999999999", 100 * 365 * 24 * time.Hour, 0},
		{"timeout=18446744073709551615", 100 * 365 * 24 * time.Hour, 0},
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
			learned := time.Duration(-1)
			rt := newTransport(t, transport.Options{Events: transport.Events{
				Learned: func(host string, timeout time.Duration, how string) {
					assert.Equal(t, server.URL, host)
					assert.Equal(t, "Keep-Alive header", how)
					learned = timeout
				},
			}})
			for range 3 {
				get(t, rt, server.URL)
			}
			assert.Equal(t, tt.learned, learned)
			limit := transport.IdleLimit(rt, server.URL)
			if tt.limit == 0 {
				tt.limit = 90 * time.Second
			}
			assert.LessOrEqual(t, limit, tt.limit)
			assert.GreaterOrEqual(t, limit, tt.limit*7/8)
			if tt.limit > time.Second {
				assert.LessOrEqual(t, server.opened.Load(), int64(2), "one to learn, one to keep")
			}
		})
	}
}

// A connection that is idle for longer is gone before the server closes it.
func TestIdleConnectionsAreDroppedFirst(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") },
		func(s *http.Server) { require.NoError(t, transport.Announce(s, time.Second)) })
	dropped := make(chan time.Duration, 10)
	rt := newTransport(t, transport.Options{Events: transport.Events{
		Dropped: func(_ string, idle time.Duration) { dropped <- idle },
	}})
	get(t, rt, server.URL) // learns
	get(t, rt, server.URL)
	idle := <-dropped
	assert.Less(t, idle, 900*time.Millisecond)
	assert.Greater(t, idle, 400*time.Millisecond)
	get(t, rt, server.URL)
	s := rt.Stats()
	assert.EqualValues(t, 3, s.Opened)
	assert.EqualValues(t, 1, s.Dropped)
	assert.Zero(t, s.LostRaces)
}

// Without a header, closes that agree tell.
func TestObservedCloses(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") },
		func(s *http.Server) { s.IdleTimeout = 300 * time.Millisecond })
	closed := make(chan time.Duration, 10)
	learned := make(chan time.Duration, 10)
	rt := newTransport(t, transport.Options{Events: transport.Events{
		PeerClosed: func(_ string, idle time.Duration) { closed <- idle },
		Learned: func(_ string, timeout time.Duration, how string) {
			assert.Equal(t, "observed closes", how)
			learned <- timeout
		},
	}})
	for range 2 {
		read(t, rt, server.URL)
		idle := <-closed
		assert.Greater(t, idle, 250*time.Millisecond)
		assert.Less(t, idle, 2*time.Second)
	}
	assert.Greater(t, <-learned, 250*time.Millisecond)
	limit := transport.IdleLimit(rt, server.URL)
	assert.Less(t, limit, 300*time.Millisecond)
	read(t, rt, server.URL)
	time.Sleep(500 * time.Millisecond) // longer than the server's timeout
	s := rt.Stats()
	assert.EqualValues(t, 2, s.PeerClosed, "the third was dropped first")
	assert.EqualValues(t, 1, s.Dropped)
}

// A server that restarts closes all its connections at once: no timeout.
func TestARestartIsNoTimeout(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond)
		io.WriteString(w, "x")
	}, nil)
	rt := newTransport(t, transport.Options{Events: transport.Events{
		Learned: func(_ string, timeout time.Duration, how string) { t.Errorf("learned %s from %s", timeout, how) },
	}})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { read(t, rt, server.URL) })
	}
	wg.Wait()
	time.Sleep(200 * time.Millisecond)
	server.CloseClientConnections()
	socktest.Until(t, "all are closed", func() bool { return rt.Stats().PeerClosed == 10 })
	assert.Equal(t, 90*time.Second, transport.IdleLimit(rt, server.URL))
}

// A server that stops sending the header is another one.
func TestTheHeaderIsForgotten(t *testing.T) {
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
	get(t, rt, server.URL)
	assert.Less(t, transport.IdleLimit(rt, server.URL), 5*time.Second)
	header.Store(false)
	for range 2 {
		get(t, rt, server.URL)
		assert.Less(t, transport.IdleLimit(rt, server.URL), 5*time.Second)
	}
	get(t, rt, server.URL)
	assert.Equal(t, 90*time.Second, transport.IdleLimit(rt, server.URL))
}
