package transport_test

import (
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// A server that has a longer timeout than a close has shown once is noticed by requests
// that are repeated if it has not. POSTs do not take part.
func TestALongerTimeoutIsNoticed(t *testing.T) {
	t.Parallel()
	const before = 100 * time.Millisecond
	endless := origin{}.site
	run, wait := together(t)
	defer wait()
	for name, reach := range map[string]func(testing.TB) site{
		"plain":     endless,
		"proxy":     through(endless, "http", 0),
		"TLS":       origin{tls: true}.site,
		"TLS proxy": through(origin{tls: true}.site, "https", 0),
	} {
		run(name, func(t *testing.T) {
			s := reach(t)
			learned := make(chan time.Duration, 100)
			rt := newTransport(t, transport.Options{Base: s.base(), Events: transport.Events{
				Learned: func(_ string, timeout time.Duration, how string) { learned <- timeout },
			}})
			transport.DoubtAfter(rt, 1)
			transport.LearnFrom(connOf(t, rt, s.url), before)
			require.Equal(t, before, <-learned)
			const apart = before * 3 / 2
			post := func() {
				req, _ := onceOnly(t, s.url)
				resp, err := rt.RoundTrip(req)
				if assert.NoError(t, err) {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
			post()
			reused := rt.Stats().Reused
			for range 3 {
				time.Sleep(apart)
				post()
			}
			assert.Equal(t, reused, rt.Stats().Reused, "each POST gets a connection of its own")

			var now time.Duration
			for now == 0 {
				var some sync.WaitGroup
				for range 4 {
					some.Go(func() { get(t, rt, s.url) })
				}
				some.Wait()
				select {
				case now = <-learned:
				case <-time.After(apart):
				}
			}
			assert.GreaterOrEqual(t, now, apart)
			assert.Less(t, now, 10*time.Second)
			assert.Equal(t, now/2, transport.IdleLimit(connOf(t, rt, s.url)))
		})
	}
}

// A server may take one connection at a time: what is kept because of a doubt is in nobody's
// way. net/http alone is as quick.
func TestADoubtDelaysNoRequest(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })}
	go server.Serve(&oneAtATime{Listener: l, free: make(chan struct{}, 1)})
	t.Cleanup(func() { server.Close() })
	url := "http://" + l.Addr().String()
	rt := newTransport(t, transport.Options{Base: trusting()})
	transport.DoubtAfter(rt, 1)
	transport.LearnFrom(connOf(t, rt, url), 40*time.Millisecond)
	for range 10 {
		time.Sleep(60 * time.Millisecond)
		began := time.Now()
		req, _ := onceOnly(t, url)
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		assert.Less(t, time.Since(began), 5*time.Second)
	}
}

// oneAtATime accepts a connection when the one before was closed, as
// netutil.LimitListener does.
type oneAtATime struct {
	net.Listener
	free chan struct{}
}

func (l *oneAtATime) Accept() (net.Conn, error) {
	l.free <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &oneOf{Conn: c, free: sync.OnceFunc(func() { <-l.free })}, nil
}

type oneOf struct {
	net.Conn
	free func()
}

func (c *oneOf) Close() error {
	defer c.free()
	return c.Conn.Close()
}
