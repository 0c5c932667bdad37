package transport_test

import (
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/transport"
)

// MaxConnsPerHost is the limit of a host, whatever its servers announce meanwhile.
func TestMaxConnsPerHost(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Keep-Alive", []string{"timeout=30", "timeout=60", "timeout=3600", ""}[n.Add(1)%4])
		time.Sleep(time.Millisecond)
		io.WriteString(w, "x")
	}, nil)
	rt := newTransport(t, transport.Options{Base: &http.Transport{MaxConnsPerHost: 2}})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 30 {
				get(t, rt, server.URL)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 2, server.opened.Load())
	assert.EqualValues(t, 240, rt.Stats().Responses)
}

// What a burst opened is used afterwards, or closed in time: nothing is left behind
// at the first header.
func TestABurstLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	var used sync.Map // the connections that served a request, and are open; there may be a spare one
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond)
		w.Header().Set("Keep-Alive", "timeout=2")
		io.WriteString(w, "x")
	}, func(s *http.Server) {
		s.ConnState = func(c net.Conn, state http.ConnState) {
			switch state {
			case http.StateActive:
				used.Store(c, nil)
			case http.StateClosed:
				used.Delete(c)
			}
		}
	})
	rt := newTransport(t, transport.Options{})
	burst := func() {
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() { get(t, rt, server.URL) })
		}
		wg.Wait()
	}
	burst()
	first := rt.Stats().Opened
	burst()
	assert.LessOrEqual(t, rt.Stats().Opened, first+first/4, "the connections of the first burst serve the second")
	testkit.Until(t, "all that were used are closed in time", func() bool {
		open := 0
		used.Range(func(any, any) bool { open++; return true })
		return open == 0
	})
	s := rt.Stats()
	assert.Positive(t, s.Dropped, "by us: %+v", s)
	assert.Zero(t, s.PeerClosed)
}
