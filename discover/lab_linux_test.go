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
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// listen listens without keepalive, in the server's namespace of b or here.
func listen(t *testing.T, b *lab.Balancer) *net.TCPListener {
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

// through dials through b, or directly.
func through(b *lab.Balancer, l *net.TCPListener) func(context.Context) (net.Conn, error) {
	port := l.Addr().(*net.TCPAddr).Port
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Second}} // which discover switches off
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
	echo := func(t *testing.T, l net.Listener) discover.Options {
		testkit.Serve(t, l, testkit.Echo)
		return discover.Options{Check: discover.Echo}
	}
	plain := func(t *testing.T, l net.Listener) discover.Options {
		testkit.Serve(t, l, testkit.Echo)
		return discover.Options{}
	}
	for name, tt := range map[string]struct {
		forgets lab.Forgets
		serve   func(*testing.T, net.Listener) discover.Options
		end     string
		long    bool // three unanswered probes take 4 s
	}{
		"RST, echo":   {lab.Resets, echo, "forgotten: RST on the next packet", false},
		"drop, echo":  {lab.Drops, echo, "forgotten: silent drop", true},
		"RST, plain":  {lab.Resets, plain, "forgotten: RST on the next packet", false},
		"drop, plain": {lab.Drops, plain, "forgotten: silent drop", true},
		"RST, HTTPS":  {lab.Resets, serveHTTPS, "forgotten: RST on the next packet", false},
		"drop, HTTPS": {lab.Drops, serveHTTPS, "forgotten: silent drop", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.long {
				testkit.Long(t)
			}
			truth := 2 * time.Second
			if testkit.LongTestsRun() { // there is time for more
				truth += time.Duration(rand.IntN(2)) * time.Second
			}
			b := lab.NewBalancer(t, truth, tt.forgets)
			l := listen(t, b)
			o := tt.serve(t, l)
			o.Dial, o.Max = through(b, l), 10*time.Minute
			r, err := discover.Run(t.Context(), o)
			require.NoError(t, err)
			t.Logf("truth %s: %s, took %.2f timeouts", truth, r, float64(r.Took)/float64(truth))
			assert.Equal(t, tt.end, r.End)
			assert.InDelta(t, truth.Seconds(), r.Alive.Seconds(), 0.2)
			assert.InDelta(t, truth.Seconds(), r.Dead.Seconds(), 0.2)
			assert.LessOrEqual(t, r.Alive, truth+200*time.Millisecond, "the last acknowledgement, with which the path counts, may be delayed")
			assert.GreaterOrEqual(t, r.Dead, truth-100*time.Millisecond, "a busy machine hears late of the last segment")
			// Two rounds, and the answers that do not come, up to 4 s each: of the first
			// that dies, and of the longer ones that are asked then.
			assert.Less(t, r.Took, truth*5/2+14*time.Second)
			assert.Zero(t, r.MaskedBy)
			assert.False(t, r.MaskUnknown)
		})
	}
}

// serveHTTPS serves HTTP over TLS.
func serveHTTPS(t *testing.T, l net.Listener) discover.Options {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Listener.Close()
	server.Listener = l
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return discover.Options{
		Check: discover.HTTP("example.com"),
		Secure: func(ctx context.Context, c net.Conn) (net.Conn, error) {
			s := tls.Client(c, &tls.Config{RootCAs: roots, ServerName: "example.com"})
			return s, s.HandshakeContext(ctx)
		},
	}
}

// If a server or a proxy ends idle connections itself, the moment is known.
func TestActiveClose(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end func(net.Conn)
		as  string
	}{
		"FIN": {func(net.Conn) {}, "closed (FIN) while idle"},
		"RST": {func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }, "reset (RST) while idle"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			truth := 2*time.Second + time.Duration(rand.Int64N(int64(2*time.Second)))
			l := listen(t, nil)
			testkit.Serve(t, l, func(c net.Conn) {
				testkit.EchoUntilIdle(truth)(c)
				tt.end(c)
			})
			r := measure(t, discover.Options{Dial: through(nil, l), Check: discover.Echo, Max: time.Minute, Wait: 3 * time.Second}, "^(after|between) ")
			assert.Equal(t, tt.as, r.End)
			assert.InDelta(t, truth.Seconds(), r.Dead.Seconds(), 0.5, "a busy server is late")
			assert.InDelta(t, r.Dead.Seconds(), r.Alive.Seconds(), 0.5, "a busy process sees RST late, and says so")
		})
	}
}

// A connection that dies of something else, whether it is closed or silent, is not taken
// for the timeout: here the third that asks whether it still works.
func TestOneThatDiesOfSomethingElse(t *testing.T) {
	t.Parallel()
	const truth = 3 * time.Second
	for name, die := range map[string]func(net.Conn){
		"closed": func(net.Conn) {},
		"silent": func(net.Conn) { time.Sleep(10 * truth) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := listen(t, nil)
			var asked atomic.Int64
			testkit.Serve(t, l, func(c net.Conn) {
				b := make([]byte, 1)
				if _, err := c.Read(b); err != nil {
					return
				}
				c.Write(b)
				c.SetReadDeadline(time.Now().Add(truth))
				if _, err := c.Read(b); err != nil {
					return
				}
				if asked.Add(1) == 3 {
					die(c)
					return
				}
				c.Write(b)
			})
			var r *discover.Result
			for range 3 { // a starved process does not know, which it says, and may ask again
				asked.Store(0)
				var err error
				r, err = discover.Run(t.Context(), discover.Options{Dial: through(nil, l), Check: discover.Echo, Max: time.Minute, Wait: 2 * time.Second})
				require.NoError(t, err)
				t.Log(r, r.Took)
				if r.Err() == nil {
					break
				}
			}
			assert.Equal(t, "closed (FIN) while idle", r.End)
			assert.InDelta(t, truth.Seconds(), r.Dead.Seconds(), 0.5, "a busy server is late: %s", r)
		})
	}
}

// A server that closes when it is asked again has not forgotten anything.
func TestClosedOnUse(t *testing.T) {
	t.Parallel()
	l := listen(t, nil)
	testkit.Serve(t, l, func(c net.Conn) {
		b := make([]byte, 1)
		c.Read(b)
		c.Write(b)
		c.Read(b)
	})
	r, err := discover.Run(t.Context(), discover.Options{
		Dial: through(nil, l), Check: discover.Echo, Min: 500 * time.Millisecond, Max: time.Minute, Connections: 4, Wait: 3 * time.Second,
	})
	require.NoError(t, err)
	assert.Equal(t, "closed (FIN) on the next packet", r.End)
	assert.Zero(t, r.Alive)
}

// Nothing shorter than Min is tried.
func TestTheShortestDies(t *testing.T) {
	t.Parallel()
	l := listen(t, nil)
	testkit.Serve(t, l, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 1))
		c.Write([]byte{'k'})
		time.Sleep(time.Minute)
	})
	r, err := discover.Run(t.Context(), discover.Options{
		Dial: through(nil, l), Check: discover.Echo, Min: 500 * time.Millisecond, Max: time.Minute, Connections: 16,
	})
	require.NoError(t, err)
	assert.Zero(t, r.Alive)
	assert.InDelta(t, 0.7, r.Dead.Seconds(), 0.25, "a busy process looks late")
	assert.ErrorIs(t, r.Err(), sockopt.ErrUnknown, "what may be anything below has not been measured")
	assert.Less(t, r.Took, 20*time.Second)
}

// A peer with keepalive of its own keeps the path alive, which is seen, and ends the
// measurement.
func TestMaskedByThePeer(t *testing.T) {
	t.Parallel()
	b := lab.NewBalancer(t, 20*time.Second, lab.Resets)
	l := listen(t, b)
	require.NoError(t, sockopt.Set(l, sockopt.Config{Idle: 2 * time.Second, Interval: time.Second, Count: 3}))
	testkit.Serve(t, l, testkit.Echo)
	r, err := discover.Run(t.Context(), discover.Options{Dial: through(b, l), Check: discover.Echo})
	require.NoError(t, err)
	assert.Zero(t, r.Dead)
	assert.InDelta(t, 2, r.MaskedBy.Seconds(), 0.5)
	assert.Greater(t, r.Alive, time.Second)
	assert.Less(t, r.Took, 20*time.Second)
	assert.Regexp(t, `^not known: not below [12](\.\d+)?s; the peer keeps the path alive, it sends something every [12](\.\d+)?s$`, r.String())
}

// A guess takes one round, and is refined if it was wrong.
func TestGuess(t *testing.T) {
	t.Parallel()
	const truth = 3 * time.Second
	for _, guess := range []time.Duration{truth, 2 * truth} {
		t.Run(guess.String(), func(t *testing.T) {
			t.Parallel()
			if guess > truth {
				testkit.Long(t)
			}
			b := lab.NewBalancer(t, truth, lab.Resets)
			l := listen(t, b)
			testkit.Serve(t, l, testkit.Echo)
			rounds := 0
			r, err := discover.Run(t.Context(), discover.Options{
				Dial: through(b, l), Check: discover.Echo, Guess: guess, Wait: 3 * time.Second,
				Progress: func(p discover.Progress) { rounds = p.Round },
			})
			require.NoError(t, err)
			assert.InDelta(t, truth.Seconds(), r.Dead.Seconds(), 0.2)
			if guess == truth {
				assert.Equal(t, 1, rounds)
				assert.Less(t, r.Took, 10*time.Second)
			}
		})
	}
}

// HTTP over TLS, which is alive; and progress as it goes.
func TestHTTPSOnALivePath(t *testing.T) {
	t.Parallel()
	l := listen(t, nil)
	o := serveHTTPS(t, l)
	var last discover.Progress
	calls, tests := 0, 0
	o.Address, o.Max, o.Connections = l.Addr().String(), 3*time.Second, 4
	o.Progress = func(p discover.Progress) {
		last = p
		if calls++; p.Test != nil {
			tests++
		}
	}
	r, err := discover.Run(t.Context(), o)
	require.NoError(t, err)
	assert.Regexp(t, `^not below 3(\.\d+)?s, the longest that was tried$`, r.String())
	assert.Len(t, r.Tests, 4)
	assert.GreaterOrEqual(t, last.Alive, 3*time.Second)
	assert.Greater(t, calls, 4, "and every second")
	assert.Equal(t, 4, tests)
}
