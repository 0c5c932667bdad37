package discover_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/discover"
)

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		options discover.Options
		want    string
	}{
		{discover.Options{}, "Address is missing"},
		{discover.Options{Address: "x:1", Min: -1}, "want 0 < Min <= Max"},
		{discover.Options{Address: "x:1", Min: time.Hour, Max: time.Minute}, "want 0 < Min <= Max"},
		{discover.Options{Address: "x:1", Max: 1 << 62}, "want 0 < Min <= Max"},
		{discover.Options{Address: "x:1", Guess: -1}, "Guess -1ns"},
		{discover.Options{Address: "x:1", Connections: 3}, "Connections 3: want 4 to 1000"},
		{discover.Options{Address: "x:1", Connections: -1}, "Connections -1"},
		{discover.Options{Address: "x:1", Wait: time.Hour}, "Wait 1h0m0s"},
	} {
		_, err := discover.Run(context.Background(), tt.options)
		assert.ErrorContains(t, err, tt.want)
	}
	if runtime.GOOS != "linux" {
		_, err := discover.Run(context.Background(), discover.Options{Address: "x:1"})
		assert.ErrorIs(t, err, errors.ErrUnsupported)
	}
}

func TestNothingAnswers(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	_, err := discover.Run(context.Background(), discover.Options{
		Dial: func(context.Context) (net.Conn, error) { return nil, refused }, Check: discover.Echo,
	})
	require.ErrorIs(t, err, refused)
	assert.ErrorContains(t, err, "none of 64 connections")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close() // takes connections, and never answers
	_, err = discover.Run(context.Background(), discover.Options{
		Address: l.Addr().String(), Check: discover.Echo, Connections: 4, Wait: 50 * time.Millisecond,
	})
	assert.ErrorContains(t, err, "a new connection was not answered within 50ms: wanted the byte that was sent (echo)")

	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(100*time.Millisecond, func() { cancel(refused) })
	_, err = discover.Run(ctx, discover.Options{Address: l.Addr().String(), Check: discover.Echo, Connections: 4, Wait: time.Minute})
	assert.ErrorIs(t, err, refused)
}

func TestResultText(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]discover.Result{
		"between 348s and 352s: forgotten: silent drop":       {Alive: 348 * time.Second, Dead: 352 * time.Second, End: discover.NoAnswer},
		"between 9s and 10s: closed (FIN) on the next packet": {Alive: 9 * time.Second, Dead: 10 * time.Second, End: discover.ClosedOnUse},
		"after 60.01s: closed (FIN) while idle":               {Alive: time.Minute, Dead: 60010 * time.Millisecond, End: discover.Closed},
		"not known: no connection survived the shortest silence that was tried, 1s: acknowledged, but not answered; shorter ones were not tried": {Dead: time.Second, End: discover.Unanswered},
		"not below 7200s, the longest that was tried":                                           {Alive: 2 * time.Hour},
		"not known: not below 14s; the peer keeps the path alive, it sends something every 15s": {Alive: 14 * time.Second, MaskedBy: 15 * time.Second},
		"not known: not below 2s; the peer keeps the path alive, it sends something by itself": {
			Alive: 2 * time.Second, Tests: []discover.Test{{End: discover.Masked}},
		},
		"not known: not below 9s; whether the peer kept the path alive, this system does not tell": {Alive: 9 * time.Second, MaskUnknown: true},
		"between 4s and 9s: reset (RST) while idle":                                                {Alive: 4 * time.Second, Dead: 9 * time.Second, End: discover.Reset}, // seen late
		"not known: some connections ended after 2s (closed (FIN) while idle), others survived 6s: there are several timeouts behind this address, as of several servers": {
			Alive: time.Second, SomeDead: 2 * time.Second, SomeAlive: 6 * time.Second, End: discover.Closed,
		},
	} {
		assert.Equal(t, want, r.String())
		_, err := r.Profile("x")
		assert.Equal(t, r.Dead == 0 || r.Alive == 0, errors.Is(err, align.ErrUnknown), want)
	}
	assert.Equal(t, "End(99)", discover.End(99).String())
}

// certificate is one of a test server, whom nobody knows.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	return server.TLS.Certificates[0]
}
