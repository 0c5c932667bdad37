package transport_test

import (
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

// A function that is called by an event may use the Transport, even if the event happens while
// net/http holds the locks of its pool: when it closes a connection that has been idle for too
// long, or that exceeds a limit.
func TestEventsMayUseTheTransport(t *testing.T) {
	t.Parallel()
	run, wait := together(t)
	defer wait()
	for name, tt := range map[string]struct {
		base   func(*http.Transport)
		server time.Duration // its idle timeout
		header string
		path   string
	}{
		"Dropped, IdleConnTimeout": {base: func(b *http.Transport) { b.IdleConnTimeout = 50 * time.Millisecond }},
		"Dropped, MaxIdleConns":    {base: func(b *http.Transport) { b.MaxIdleConns = 1 }},
		"Dropped, limit":           {header: "timeout=0"},
		"PeerClosed":               {server: 50 * time.Millisecond},
		"Learned, closes":          {server: 50 * time.Millisecond},
		"Learned, header":          {header: "timeout=5"},
		"Drained":                  {},
		"LostRace":                 {path: "/abort"},
	} {
		run(name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/abort" && r.Header.Get("Abort") != "" {
					panic(http.ErrAbortHandler)
				}
				if r.URL.Path == "/slow" {
					time.Sleep(20 * time.Millisecond)
				}
				if tt.header != "" {
					w.Header().Set("Keep-Alive", tt.header)
				}
				w.Write([]byte("x"))
			}, func(s *http.Server) { s.ErrorLog, s.IdleTimeout = discard, tt.server })
			base := trusting()
			if tt.base != nil {
				tt.base(base)
			}
			var rt *transport.Transport
			var once sync.Once
			called, goOn, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
			use := func(string, time.Duration) {
				once.Do(func() {
					close(called)
					<-goOn
					rt.CloseIdleConnections()
					get(t, rt, server.URL)
					rt.Stats()
					close(done)
				})
			}
			var events transport.Events
			switch name[:4] {
			case "Drop":
				events.Dropped = use
			case "Peer":
				events.PeerClosed = use
			case "Lear":
				events.Learned = func(string, time.Duration, string) { use("", 0) }
			case "Drai":
				events.Drained = func(string, int64, bool) { use("", 0) }
			case "Lost":
				events.LostRace = use
			}
			rt = newTransport(t, transport.Options{Base: base, Events: events})
			finished := make(chan struct{})
			go func() {
				defer close(finished)
				var some sync.WaitGroup
				for range 4 {
					some.Go(func() { get(t, rt, server.URL+"/slow") })
				}
				some.Wait()
				if tt.path != "" {
					req := must(http.NewRequest(http.MethodPost, server.URL+tt.path, nil))
					req.Header.Set("Abort", "yes")
					_, err := rt.RoundTrip(req)
					assert.Error(t, err)
				}
				<-called
				get(t, rt, server.URL) // while what was called takes its time
				close(goOn)
				<-done
				get(t, rt, server.URL)
			}()
			select {
			case <-finished:
			case <-time.After(20 * time.Second):
				t.Error("a request waits for an event, or an event for itself")
			}
		})
	}
}

// Events come one after the other, in the order in which things happen, and none is left
// out, however long the function takes.
func TestEventsComeInOrder(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Keep-Alive", "timeout=0") // so that it is dropped at once
		w.Write([]byte("x"))
	}, nil)
	var running atomic.Int64
	got := make(chan string, 100)
	note := func(what string) {
		assert.EqualValues(t, 1, running.Add(1), "are called at a time")
		time.Sleep(5 * time.Millisecond)
		running.Add(-1)
		got <- what
	}
	rt := newTransport(t, transport.Options{Events: transport.Events{
		Drained: func(string, int64, bool) { note("drained") },
		Learned: func(string, time.Duration, string) { note("learned") },
		Dropped: func(string, time.Duration) { note("dropped") },
	}})
	want := []string{"learned"}
	for i := range 10 {
		get(t, rt, server.URL)
		want = append(want, "drained", "dropped")
		testkit.Until(t, "it is dropped", func() bool { return rt.Stats().Dropped == uint64(i+1) })
	}
	for i, what := range want {
		require.Equal(t, what, <-got, "event %d", i)
	}
	assert.Empty(t, got)
}
