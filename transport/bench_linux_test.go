package transport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/transport"
)

// pair is a Transport and a bare one like it, towards one server.
func pair(t testing.TB) (ours *transport.Transport, bare *http.Transport, url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello, world")
	}))
	t.Cleanup(server.Close)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	bare = &http.Transport{DialContext: dial}
	t.Cleanup(bare.CloseIdleConnections)
	return newTransport(t, transport.Options{Base: &http.Transport{DialContext: dial}}), bare, server.URL
}

func roundTrip(t testing.TB, rt http.RoundTripper, req *http.Request) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// Not parallel: allocations of other tests would count.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	ours, bare, url := pair(t)
	for name, ctx := range map[string]context.Context{"background": context.Background(), "cancel": cancelable(t)} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		require.NoError(t, err)
		// The median: a busy machine adds some, new connections say, or spares one.
		per := func(rt http.RoundTripper) float64 {
			var runs [5]float64
			for i := range runs {
				runs[i] = testing.AllocsPerRun(100, func() { roundTrip(t, rt, req) })
			}
			slices.Sort(runs[:])
			return runs[len(runs)/2]
		}
		a, b := per(ours), per(bare)
		t.Logf("%s: %.0f, bare %.0f", name, a, b)
		// The copy of the request, its context, the tracer with two hooks, and the call.
		assert.LessOrEqual(t, a, b+6, name)
	}
}

func cancelable(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx
}

// BenchmarkRoundTrip compares a request with the bare http.Transport's.
func BenchmarkRoundTrip(b *testing.B) {
	ours, bare, url := pair(b)
	req, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(b, err)
	const each = 100
	run := func(rt http.RoundTripper) func() float64 {
		return func() float64 {
			began := time.Now()
			for range each {
				roundTrip(b, rt, req)
			}
			return float64(time.Since(began)) / each
		}
	}
	var c testkit.Comparison
	for b.Loop() {
		c.Round(run(ours), run(bare))
	}
	c.Report(b)
}
