package discover_test

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// inTurn hands the connections to each of these in turn, as a balancer does.
func inTurn(backends ...func(net.Conn)) func(net.Conn) {
	var n atomic.Int64
	return func(c net.Conn) { backends[int(n.Add(1)-1)%len(backends)](c) }
}

// onUse ends a connection, if it was silent for so long when it is asked again.
func onUse(after time.Duration, end func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		answerOne(c)
		answered := time.Now()
		b := make([]byte, 1)
		if _, err := c.Read(b); err != nil {
			return
		}
		if time.Since(answered) > after {
			end(c)
			return
		}
		c.Write(b)
	}
}

// measure measures up to three times, until the text is as wanted: a server, or a search,
// that gets no processor at the wrong moment says so, and may be asked again.
func measure(t *testing.T, o discover.Options, want string) *discover.Result {
	t.Helper()
	var r *discover.Result
	for range 3 {
		var err error
		r, err = discover.Run(within(t, time.Minute), o)
		require.NoError(t, err)
		t.Log(r, r.Took, r.Outliers())
		if regexp.MustCompile(want).MatchString(r.String()) {
			break
		}
	}
	assert.Regexp(t, want, r.String())
	return r
}

func reset(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }

// hang reads, and answers nothing.
func hang(c net.Conn) { io.Copy(io.Discard, c) }

// TestBackendsThatDiffer: backends that differ a little have not one timeout, and the
// silence that is called alive is below the shortest timeout.
func TestBackendsThatDiffer(t *testing.T) {
	t.Parallel()
	closing := func(after ...time.Duration) (backends []func(net.Conn)) {
		for _, a := range after {
			backends = append(backends, testkit.EchoUntilIdle(a))
		}
		return backends
	}
	const ms = time.Millisecond
	for name, tt := range map[string]struct {
		backends []func(net.Conn)
		shortest time.Duration
		options  discover.Options
	}{
		"two close":                 {closing(2000*ms, 2600*ms), 2000 * ms, discover.Options{}},
		"four close":                {closing(2000*ms, 2200*ms, 2400*ms, 2600*ms), 2000 * ms, discover.Options{}},
		"two close, after a guess":  {closing(2000*ms, 2600*ms), 2000 * ms, discover.Options{Guess: 2 * time.Second}},
		"two close, with few tests": {closing(2000*ms, 2600*ms), 2000 * ms, discover.Options{Connections: 16}},
		// Less apart than what is survived for clearly longer: two rounds have to agree.
		"two close, a little apart": {closing(4000*ms, 4310*ms), 4000 * ms, discover.Options{Guess: 4 * time.Second}},
		"two reset on use":          {[]func(net.Conn){onUse(1500*ms, reset), onUse(1900*ms, reset)}, 1500 * ms, discover.Options{Connections: 64, Wait: 5 * time.Second}},
		"two hang":                  {[]func(net.Conn){onUse(1500*ms, hang), onUse(1900*ms, hang)}, 1500 * ms, discover.Options{Connections: 64}},
		"one of 16 is shorter":      {append(closing(1500*ms), slices.Repeat(closing(6000*ms), 15)...), 1500 * ms, discover.Options{Connections: 64, Min: 1400 * ms}},
		"one of 16 is longer":       {append(slices.Repeat(closing(1500*ms), 15), testkit.Echo), 1500 * ms, discover.Options{Connections: 64, Min: 1400 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "two close, a little apart" || name == "two hang" { // the first is in TestApart with figures
				testkit.Long(t)
			}
			o := tt.options
			o.Address, o.Check, o.Max = serve(t, inTurn(tt.backends...)), discover.Echo, 5*time.Second
			if o.Connections == 0 {
				o.Connections = 32
			}
			r := measure(t, o, "there are several timeouts behind this address")
			require.ErrorIs(t, r.Err(), sockopt.ErrUnknown)
			assert.Less(t, r.Alive, tt.shortest+250*ms, "and not that of the others")
			assert.Less(t, r.SomeDead, r.SomeAlive)
			_, err := r.Profile("x")
			assert.ErrorIs(t, err, sockopt.ErrUnknown)
		})
	}
}

// TestConnectionsThatTellNothing: an answer that leaves out what could not be tested would
// be a guess, since this may be another server. A single connection may fail.
func TestConnectionsThatTellNothing(t *testing.T) {
	t.Parallel()
	closes := testkit.EchoUntilIdle(1500 * time.Millisecond)
	atOnce := func(net.Conn) {}
	restless := func(c net.Conn) { // which keeps its connections alive
		go io.Copy(io.Discard, c)
		answerOneNow(c)
		for range time.Tick(600 * time.Millisecond) {
			if _, err := c.Write([]byte{'x'}); err != nil {
				return
			}
		}
	}
	const ended = `^after 1\.\d+s: closed \(FIN\) while idle$`
	lived := `^not below 1(\.\d+)?s, the longest that was tried$`
	half := `^not known: \d+ of (32|64|96) connections could not be tested: the server ended a new connection, .*; the others: not below 1(\.\d+)?s, the longest that was tried$`
	if runtime.GOOS != "linux" {
		lived = "this system does not tell$"
		half = "^not known: not below .*" + lived
	}
	for name, tt := range map[string]struct {
		backends []func(net.Conn)
		refuse   int64 // each of so many is not even made
		max      time.Duration
		want     string
	}{
		"half are closed at once, the others live": {[]func(net.Conn){testkit.Echo, atOnce}, 0, time.Second, half},
		"half are closed at once, the others later": {[]func(net.Conn){closes, atOnce}, 0, 8 * time.Second,
			`^not known: \d+ of (32|64|96) connections could not be tested: the server ended a new connection, .*; the others: after 1\.\d+s: closed \(FIN\) while idle$`},
		"one in ten cannot be made": {[]func(net.Conn){closes}, 10, 8 * time.Second,
			`^not known: \d+ of (32|64|96) connections could not be tested: too many open files; the others: after 1\.\d+s: closed \(FIN\) while idle$`},
		"half are kept alive": {[]func(net.Conn){closes, restless}, 0, 8 * time.Second,
			`^not known: \d+ of (32|64|96) connections could not be tested: the peer kept the path alive, it sent something .*; the others: after 1\.\d+s: closed \(FIN\) while idle$`},
		"a single one is closed at once, the others live":  {append(slices.Repeat([]func(net.Conn){testkit.Echo}, 31), atOnce), 0, time.Second, lived},
		"a single one is closed at once, the others later": {append(slices.Repeat([]func(net.Conn){closes}, 31), atOnce), 0, 8 * time.Second, ended},
		"a single one cannot be made":                      {[]func(net.Conn){closes}, 32, 8 * time.Second, ended},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, inTurn(tt.backends...))
			var made atomic.Int64
			r := measure(t, discover.Options{
				Dial: func(ctx context.Context) (net.Conn, error) {
					if tt.refuse > 0 && made.Add(1)%tt.refuse == 0 {
						return nil, errors.New("too many open files")
					}
					d := net.Dialer{KeepAlive: -1}
					return d.DialContext(ctx, "tcp", address)
				},
				Check: discover.Echo, Max: tt.max, Min: 300 * time.Millisecond, Wait: 5 * time.Second, Connections: 32,
			}, tt.want)
			_, err := r.Profile("x")
			if strings.HasPrefix(tt.want, "^not known") {
				assert.ErrorIs(t, r.Err(), sockopt.ErrUnknown)
				assert.ErrorIs(t, err, sockopt.ErrUnknown)
			}
		})
	}
}

// answerOneNow answers before anything was read.
func answerOneNow(c net.Conn) { c.Write([]byte{'k'}) }
