package transport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/sockopt"
	"github.com/tcpkeepalive/keepalive/transport"
)

// A counting server tells how many connections were made to it.
type counting struct {
	*httptest.Server
	opened atomic.Int64
}

func serve(t testing.TB, handler http.HandlerFunc, change func(*http.Server)) *counting {
	t.Helper()
	c := &counting{Server: httptest.NewUnstartedServer(handler)}
	c.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			c.opened.Add(1)
		}
	}
	if change != nil {
		change(c.Config)
	}
	c.Start()
	t.Cleanup(c.Close)
	return c
}

func newTransport(t testing.TB, o transport.Options) *transport.Transport {
	t.Helper()
	rt, err := transport.New(o)
	require.NoError(t, err)
	t.Cleanup(rt.CloseIdleConnections)
	return rt
}

// get makes a request and closes its body unread.
func get(t testing.TB, rt http.RoundTripper, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.Same(t, req, resp.Request)
	require.NoError(t, resp.Body.Close())
	return resp
}

func read(t testing.TB, rt http.RoundTripper, url string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}

// TestUnreadBodiesDoNotCostTheConnection: 500 requests to one host.
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
	assert.EqualValues(t, 1, opened(func() {
		for range requests {
			read(t, standard, server.URL)
		}
	}))
	assert.EqualValues(t, 1, opened(func() {
		for range requests {
			get(t, ours, server.URL)
		}
	}))
	s := ours.Stats()
	assert.Equal(t, transport.Stats{Responses: requests, Opened: 1, Reused: requests - 1, Drained: requests * uint64(len(body))}, s)
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

// What Close reads is bounded in bytes and in time.
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
	for path, drained := range map[string]uint64{"/fast": transport.DefaultDrainLimit + 1, "/long": 0, "/slow": 8} {
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

// TestTheRace: requests that may not be sent twice, just as the server closes.
func TestTheRace(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	const clients, rounds = 500, 20
	timeout := time.Second
	// Each client has a host, and so a connection, of its own.
	race := func(t *testing.T, rt http.RoundTripper) (failed, sent int64) {
		var failures atomic.Int64
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				for round := range rounds {
					req, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://client%d.example", i), io.NopCloser(strings.NewReader("body")))
					if !assert.NoError(t, err) {
						return
					}
					resp, err := rt.RoundTrip(req)
					if err != nil {
						failures.Add(1)
					} else {
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
					// The server's timer began when it had answered.
					jitter := time.Duration((i+round)%41-20) * 100 * time.Microsecond
					time.Sleep(timeout + jitter)
				}
			})
		}
		wg.Wait()
		return failures.Load(), clients * rounds
	}
	handler := func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }
	baseTo := func(server *counting) *http.Transport {
		return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
			return far{c}, err
		}}
	}
	announce := func(s *http.Server) { require.NoError(t, transport.Announce(s, timeout)) }
	t.Run("net/http", func(t *testing.T) {
		t.Parallel()
		rt := baseTo(serve(t, handler, announce))
		defer rt.CloseIdleConnections()
		failed, sent := race(t, rt)
		t.Logf("net/http: %d of %d failed", failed, sent)
		assert.Greater(t, failed, sent/20)
	})
	t.Run("transport", func(t *testing.T) {
		t.Parallel()
		rt := newTransport(t, transport.Options{Base: baseTo(serve(t, handler, announce))})
		failed, sent := race(t, rt)
		t.Logf("transport: %d of %d failed; %+v", failed, sent, rt.Stats())
		assert.Zero(t, failed)
		assert.Zero(t, rt.Stats().LostRaces)
	})
}

// far is a connection to a server that is 1 ms away: all that it sends, a close
// too, comes that much later.
type far struct{ net.Conn }

func (c far) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	time.Sleep(time.Millisecond)
	return n, err
}

// What the counters call a lost race.
func TestLostRacesAreCounted(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // answers once, and takes the second request without a word
				defer c.Close()
				b := bufio.NewReader(c)
				if r, err := http.ReadRequest(b); err == nil {
					io.Copy(io.Discard, r.Body)
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
					http.ReadRequest(b)
				}
			}()
		}
	}()
	lost := 0
	rt := newTransport(t, transport.Options{Events: transport.Events{LostRace: func(string, time.Duration) { lost++ }}})
	url := "http://" + l.Addr().String()
	read(t, rt, url)
	_, err = rt.RoundTrip(must(http.NewRequest(http.MethodPost, url, strings.NewReader("body"))))
	assert.ErrorIs(t, err, io.EOF)
	s := rt.Stats()
	assert.EqualValues(t, 1, s.LostRaces)
	assert.Equal(t, 1, lost)
	assert.Zero(t, s.PeerClosed)
	// GET is sent again by net/http, and lost all the same.
	assert.Equal(t, "x", read(t, rt, url))
	assert.Equal(t, "x", read(t, rt, url))
	assert.EqualValues(t, 2, rt.Stats().LostRaces)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Whatever a server may do, callers see what net/http shows them.
func TestCallersSeeNetHTTP(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/trailer":
			w.Header().Set("Trailer", "X-Sum")
			io.WriteString(w, "body")
			w.Header().Set("X-Sum", "42")
		case "/early":
			w.Header().Set("Link", "</style.css>")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusOK)
			io.WriteString(w, "body")
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/close":
			w.Header().Set("Connection", "close")
			io.WriteString(w, "body")
		case "/broken":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "body")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/upgrade":
			c, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			defer c.Close()
			rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			rw.Flush()
			io.Copy(c, rw)
		}
	}, nil)
	rt := newTransport(t, transport.Options{})
	client := http.Client{Transport: rt}

	resp, err := client.Get(server.URL + "/trailer")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "body", string(body))
	assert.Equal(t, "42", resp.Trailer.Get("X-Sum"))
	assert.NoError(t, resp.Body.Close())

	var hints int
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { hints = code; return nil },
		GotConn:        func(info httptrace.GotConnInfo) { assert.True(t, info.Reused, "their trace is called too") },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/early", nil)
	require.NoError(t, err)
	resp, err = client.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusEarlyHints, hints)

	assert.Equal(t, http.StatusNoContent, get(t, rt, server.URL+"/none").StatusCode)
	assert.EqualValues(t, 1, rt.Stats().Opened)

	assert.Equal(t, "body", read(t, rt, server.URL+"/close"))
	get(t, rt, server.URL+"/close")
	resp, err = client.Get(server.URL + "/broken")
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.NoError(t, resp.Body.Close())
	get(t, rt, server.URL+"/broken")
	s := rt.Stats()
	assert.Zero(t, s.PeerClosed, "a close that was agreed on is none: %+v", s)
	assert.Zero(t, s.LostRaces)

	req, err = http.NewRequest(http.MethodGet, server.URL+"/upgrade", nil)
	require.NoError(t, err)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err = rt.RoundTrip(req)
	require.NoError(t, err)
	rw, ok := resp.Body.(io.ReadWriteCloser)
	require.True(t, ok, "the body of 101 is the connection")
	_, err = io.WriteString(rw, "hello")
	require.NoError(t, err)
	echo := make([]byte, 5)
	_, err = io.ReadFull(rw, echo)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(echo))
	require.NoError(t, rw.Close())

	_, err = rt.RoundTrip(&http.Request{})
	assert.ErrorContains(t, err, "nil Request.URL")
	_, err = client.Get("http://127.0.0.1:1/")
	assert.Error(t, err)
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("reason")
	cancel(reason)
	_, err = client.Do(must(http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)))
	assert.ErrorIs(t, err, reason)
}

func TestHTTP2OfTransport(t *testing.T) {
	t.Parallel()
	server := http2Server(t)
	base := &http.Transport{TLSClientConfig: server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()}
	rt := newTransport(t, transport.Options{Base: base, Dialer: &dialer.Dialer{Config: asked}})
	for range 5 {
		resp := get(t, rt, server.URL)
		assert.Equal(t, 2, resp.ProtoMajor)
	}
	assert.Equal(t, transport.Stats{Responses: 5, Opened: 1, Reused: 4}, rt.Stats())
}

func TestTheSocketIsTuned(t *testing.T) {
	t.Parallel()
	server := serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
	rt := newTransport(t, transport.Options{Dialer: &dialer.Dialer{Config: asked}})
	_, got := socktest.GetHTTP(t, rt, server.URL)
	assert.Equal(t, askedValues, got)

	_, got = socktest.GetHTTP(t, newTransport(t, transport.Options{}), server.URL)
	recommended := sockopt.Recommended()
	assert.Equal(t, int(recommended.Idle/time.Second), got.Idle)

	dialed := false
	base := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed = true
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	get(t, newTransport(t, transport.Options{Base: base}), server.URL)
	assert.True(t, dialed, "a Base that dials itself goes on doing so")
}

func TestPlanOfTransport(t *testing.T) {
	t.Parallel()
	path, err := align.Path("aws-alb")
	require.NoError(t, err)
	plan, err := align.Request{Path: path}.Plan()
	require.NoError(t, err)
	rt := newTransport(t, transport.Options{Plan: plan})
	base := transport.BaseOf(rt)
	assert.Equal(t, 58*time.Second, base.IdleConnTimeout)
	require.NotNil(t, base.HTTP2)
	assert.Equal(t, 58*time.Second, base.HTTP2.SendPingTimeout)

	mine := &http.Transport{IdleConnTimeout: time.Second, HTTP2: &http.HTTP2Config{SendPingTimeout: time.Second, MaxConcurrentStreams: 7}}
	base = transport.BaseOf(newTransport(t, transport.Options{Base: mine, Plan: plan}))
	assert.Equal(t, time.Second, base.IdleConnTimeout, "what is stricter stays")
	assert.Equal(t, time.Second, base.HTTP2.SendPingTimeout)
	assert.Equal(t, 7, base.HTTP2.MaxConcurrentStreams)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	_, err := transport.New(transport.Options{Margin: -1})
	assert.ErrorContains(t, err, "Margin is -1ns")
	_, err = transport.New(transport.Options{DrainTime: -time.Second})
	assert.ErrorContains(t, err, "DrainTime is -1s")
	_, err = transport.New(transport.Options{Dialer: &dialer.Dialer{Config: sockopt.Config{Count: 1000}}})
	assert.ErrorContains(t, err, "count=1000")
}

// A program that visits many hosts does not remember them all.
func TestManyHosts(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") }, nil)
	base := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}, DisableKeepAlives: true}
	rt := newTransport(t, transport.Options{Base: base})
	for i := range 200 {
		get(t, rt, fmt.Sprintf("http://host%d.example/", i))
	}
	assert.Equal(t, 200, transport.HostsOf(rt))
	transport.RememberHosts(rt, 30_000)
	assert.LessOrEqual(t, transport.HostsOf(rt), 10_000)
	assert.EqualValues(t, 200, rt.Stats().Responses)
	assert.Zero(t, rt.Stats().PeerClosed)
}
