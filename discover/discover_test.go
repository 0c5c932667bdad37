package discover_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
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

// A hook that returns nothing at all is an error that names it, and no crash.
func TestAHookThatReturnsNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("discover measures on Linux only")
	}
	var made atomic.Int64
	none := func(context.Context, net.Conn) (net.Conn, error) { return nil, nil }
	for name, o := range map[string]discover.Options{
		"Dial": {Dial: func(context.Context) (net.Conn, error) { return nil, nil }},
		"Secure": {Secure: none, Dial: func(context.Context) (net.Conn, error) {
			near, far := net.Pipe()
			made.Add(1)
			go func() { // until it is closed
				io.Copy(io.Discard, far)
				made.Add(-1)
			}()
			return near, nil
		}},
	} {
		o.Check, o.Connections = discover.Echo, 4
		_, err := discover.Run(t.Context(), o)
		assert.ErrorContains(t, err, "Options."+name+" returned (nil, nil)")
	}
	assert.Eventually(t, func() bool { return made.Load() == 0 }, 10*time.Second, time.Millisecond, "they are closed")
}

func TestResultText(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]discover.Result{
		"between 348s and 352s: forgotten: silent drop":       {Alive: 348 * time.Second, Dead: 352 * time.Second, End: "forgotten: silent drop"},
		"between 9s and 10s: closed (FIN) on the next packet": {Alive: 9 * time.Second, Dead: 10 * time.Second, End: "closed (FIN) on the next packet"},
		"after 60.01s: closed (FIN) while idle":               {Alive: time.Minute, Dead: 60010 * time.Millisecond, End: "closed (FIN) while idle"},
		"not known: no connection survived the shortest silence that was tried, 1s: acknowledged, but not answered; shorter ones were not tried": {Dead: time.Second, End: "acknowledged, but not answered"},
		"not below 7200s, the longest that was tried":                                           {Alive: 2 * time.Hour},
		"not known: not below 14s; the peer keeps the path alive, it sends something every 15s": {Alive: 14 * time.Second, MaskedBy: 15 * time.Second},
		"not known: not below 2s; the peer keeps the path alive, it sends something by itself": {
			Alive: 2 * time.Second, Tests: []discover.Test{{End: "kept alive by the peer"}},
		},
		"not known: not below 9s; whether the peer kept the path alive, this system does not tell": {Alive: 9 * time.Second, MaskUnknown: true},
		"between 4s and 9s: reset (RST) while idle":                                                {Alive: 4 * time.Second, Dead: 9 * time.Second, End: "reset (RST) while idle"}, // seen late
		"not known: some connections ended after 2s (closed (FIN) while idle), others survived 6s: there are several timeouts behind this address, as of several servers": {
			Alive: time.Second, SomeDead: 2 * time.Second, SomeAlive: 6 * time.Second, End: "closed (FIN) while idle",
		},
	} {
		assert.Equal(t, want, r.String())
		_, err := r.Profile("x")
		assert.Equal(t, r.Dead == 0 || r.Alive == 0, errors.Is(err, sockopt.ErrUnknown), want)
	}
}

// TestEnds: what each word for an end means, all of which the comment of Test lists. A
// Result with another word has no Profile.
func TestEnds(t *testing.T) {
	t.Parallel()
	assert.Equal(t, testkit.Constants(t, "endSurvived"), testkit.Documented(t, "Test.End"))
	for end, want := range map[string]struct {
		survived, died bool
		refreshed      platform.Answer
		expiry         align.Expiry
	}{
		"alive":                             {true, false, platform.Unknown, ""},
		"closed (FIN) while idle":           {false, true, platform.No, "closed"},
		"reset (RST) while idle":            {false, true, platform.No, "RST to both ends"},
		"forgotten: RST on the next packet": {false, true, platform.Yes, "silent, RST on next packet"},
		"closed (FIN) on the next packet":   {false, true, platform.No, "closed"},
		"forgotten: silent drop":            {false, true, platform.Yes, "silent drop"},
		"acknowledged, but not answered":    {false, true, platform.No, "silent drop"},
		"kept alive by the peer":            {false, false, platform.Unknown, ""},
		"failed":                            {false, false, platform.Unknown, ""},
		"closed":                            {false, false, platform.Unknown, ""},
		"":                                  {false, false, platform.Unknown, ""},
	} {
		assert.Equal(t, want.survived, discover.Test{End: end}.Survived(), end)
		assert.Equal(t, want.died, discover.Test{End: end}.Died(), end)
		r := discover.Result{Alive: 9 * time.Second, Dead: 10 * time.Second, End: end}
		p, err := r.Profile("box")
		if !want.died {
			assert.EqualError(t, err, fmt.Sprintf("discover: the end %q of box is not one that ends a connection; see Test", end))
			continue
		}
		require.NoError(t, err)
		require.NoError(t, p.Validate())
		assert.Equal(t, want.refreshed, p.Refreshed, end)
		assert.Equal(t, want.expiry, p.Expiry, end)
		assert.Equal(t, end, p.ExpiryText)
	}
}

// certificate is that of a test server. No authority has signed it.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	return server.TLS.Certificates[0]
}
