package discover_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/internal/netlab"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// serve accepts connections and hands each to f.
func serve(t *testing.T, l net.Listener, f func(net.Conn)) {
	t.Helper()
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c)
			}()
		}
	}()
}

func echo(c net.Conn) { io.Copy(c, c) }

// listen listens without keepalive, in the server's namespace of b or here.
func listen(t *testing.T, b *netlab.Balancer) *net.TCPListener {
	t.Helper()
	var l net.Listener
	make := func() (err error) {
		lc := net.ListenConfig{KeepAlive: -1}
		l, err = lc.Listen(t.Context(), "tcp4", ":0")
		return err
	}
	if b == nil {
		require.NoError(t, make())
	} else {
		require.NoError(t, b.Server.Do(make))
	}
	return l.(*net.TCPListener)
}

// through dials through b, or straight.
func through(b *netlab.Balancer, l *net.TCPListener) func(context.Context) (net.Conn, error) {
	port := l.Addr().(*net.TCPAddr).Port
	d := net.Dialer{KeepAlive: -1}
	if b == nil {
		return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp4", l.Addr().String()) }
	}
	return func(ctx context.Context) (c net.Conn, err error) {
		err = b.Client.Do(func() error {
			c, err = d.DialContext(ctx, "tcp4", b.Address(port))
			return err
		})
		return c, err
	}
}

// TestTheTruthIsFound: a load balancer with a timeout that the measurement does not
// know. conntrack counts in whole seconds.
func TestTheTruthIsFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		forgets netlab.Forgets
		check   *discover.Check
		end     discover.End
	}{
		{"RST, echo", netlab.Resets, discover.Echo, discover.ResetOnUse},
		{"drop, echo", netlab.Drops, discover.Echo, discover.NoAnswer},
		{"RST, plain", netlab.Resets, discover.Probe, discover.ResetOnUse},
		{"drop, plain", netlab.Drops, discover.Probe, discover.NoAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			low := 8
			if tt.check == discover.Probe && tt.forgets == netlab.Drops {
				low = 22 // three probes take 4 s a round
			}
			truth := time.Duration(low+rand.IntN(5)) * time.Second
			b := netlab.NewBalancer(t, truth, tt.forgets)
			l := listen(t, b)
			serve(t, l, echo)
			r, err := discover.Run(t.Context(), discover.Options{Dial: through(b, l), Check: tt.check, Max: 10 * time.Minute})
			require.NoError(t, err)
			t.Logf("truth %s: %s, took %.2f timeouts", truth, r, float64(r.Took)/float64(truth))
			assert.Equal(t, tt.end, r.End)
			assert.InEpsilon(t, truth.Seconds(), r.Alive.Seconds(), 0.05)
			assert.InEpsilon(t, truth.Seconds(), r.Dead.Seconds(), 0.05)
			assert.Less(t, r.Took.Seconds(), 2.5*truth.Seconds())
			assert.Zero(t, r.MaskedBy)
			assert.False(t, r.MaskUnknown)
		})
	}
}

// A server, or a proxy, that ends idle connections itself tells the moment.
func TestActiveClose(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end func(net.Conn)
		as  discover.End
	}{
		"FIN": {func(net.Conn) {}, discover.Closed},
		"RST": {func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }, discover.Reset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			truth := 2*time.Second + time.Duration(rand.Int64N(int64(2*time.Second)))
			l := listen(t, nil)
			serve(t, l, func(c net.Conn) {
				buffer := make([]byte, 1)
				for {
					c.SetReadDeadline(time.Now().Add(truth))
					if _, err := c.Read(buffer); err != nil {
						tt.end(c)
						return
					}
					c.Write(buffer)
				}
			})
			r, err := discover.Run(t.Context(), discover.Options{Dial: through(nil, l), Check: discover.Echo, Max: time.Minute})
			require.NoError(t, err)
			assert.Equal(t, tt.as, r.End)
			assert.InEpsilon(t, truth.Seconds(), r.Dead.Seconds(), 0.05)
			assert.Equal(t, r.Dead, r.Alive)
			assert.Less(t, r.Took.Seconds(), 1.5*truth.Seconds())
		})
	}
}

// A peer with keepalive of its own keeps the path alive, which is seen, and ends the
// measurement.
func TestMaskedByThePeer(t *testing.T) {
	t.Parallel()
	b := netlab.NewBalancer(t, 20*time.Second, netlab.Resets)
	l := listen(t, b)
	require.NoError(t, sockopt.Set(l, sockopt.Config{Idle: 3 * time.Second, Interval: time.Second, Count: 3}))
	serve(t, l, echo)
	r, err := discover.Run(t.Context(), discover.Options{Dial: through(b, l), Check: discover.Echo})
	require.NoError(t, err)
	assert.Zero(t, r.Dead)
	assert.InDelta(t, 3, r.MaskedBy.Seconds(), 0.5)
	assert.Greater(t, r.Alive, 2*time.Second)
	assert.Less(t, r.Took, 10*time.Second)
	assert.Regexp(t, `masked by the peer, which sends something every [23](\.\d+)?s$`, r.String())
}

// A guess takes one round, and is refined if it was wrong.
func TestGuess(t *testing.T) {
	t.Parallel()
	for _, guess := range []time.Duration{6 * time.Second, 30 * time.Second} {
		t.Run(guess.String(), func(t *testing.T) {
			t.Parallel()
			b := netlab.NewBalancer(t, 6*time.Second, netlab.Resets)
			l := listen(t, b)
			serve(t, l, echo)
			rounds := 0
			r, err := discover.Run(t.Context(), discover.Options{
				Dial: through(b, l), Check: discover.Echo, Guess: guess,
				Progress: func(p discover.Progress) { rounds = p.Round },
			})
			require.NoError(t, err)
			assert.InEpsilon(t, 6, r.Dead.Seconds(), 0.05)
			if guess == 6*time.Second {
				assert.Equal(t, 1, rounds)
				assert.Less(t, r.Took, 9*time.Second)
			}
		})
	}
}

// HTTP over TLS, which is alive; and progress as it goes.
func TestHTTPSOnALivePath(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	var last discover.Progress
	calls := 0
	r, err := discover.Run(t.Context(), discover.Options{
		Address: server.Listener.Addr().String(), Check: discover.HTTP("example.com"),
		Secure: func(ctx context.Context, c net.Conn) (net.Conn, error) {
			s := tls.Client(c, &tls.Config{RootCAs: roots, ServerName: "example.com"})
			return s, s.HandshakeContext(ctx)
		},
		Max: 3 * time.Second, Connections: 4,
		Progress: func(p discover.Progress) { last = p; calls++ },
	})
	require.NoError(t, err)
	assert.Equal(t, "not below 3s, the longest that was tried", r.String())
	assert.Len(t, r.Tests, 4)
	assert.Equal(t, 3*time.Second, last.Alive)
	assert.Greater(t, calls, 4, "and every second")
	assert.NotNil(t, last.Test)
}
