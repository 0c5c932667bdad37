package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
	"github.com/tcpkeepalive/keepalive/transport"
)

// Callers get the same results as from net/http, whatever a server does.
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
	base := &http.Transport{TLSClientConfig: server.Client().Transport.(*http.Transport).TLSClientConfig.Clone(), ForceAttemptHTTP2: true}
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
	_, got := testkit.GetHTTP(t, rt, server.URL)
	assert.Equal(t, askedValues, got)

	_, got = testkit.GetHTTP(t, newTransport(t, transport.Options{}), server.URL)
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
	planOf := func(id string) *align.Plan {
		path, err := align.Path(id)
		require.NoError(t, err)
		path[0], err = path[0].WithTimeout(time.Minute)
		require.NoError(t, err)
		plan, err := align.Request{Path: path}.Plan()
		require.NoError(t, err)
		return plan
	}
	base := transport.BaseOf(newTransport(t, transport.Options{Plan: planOf("aws-alb")}))
	assert.Equal(t, 58*time.Second, base.IdleConnTimeout)
	assert.Nil(t, base.HTTP2, "a balancer that ends HTTP does not count PINGs")

	plan := planOf("envoy-tcp-proxy")
	base = transport.BaseOf(newTransport(t, transport.Options{Plan: plan}))
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
