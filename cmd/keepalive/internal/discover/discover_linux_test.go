package discover

import (
	"encoding/json"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// closing is an echo server that closes connections that are silent for so long.
func closing(t *testing.T, after time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	testkit.Serve(t, l, testkit.EchoUntilIdle(after))
	return l.Addr().String()
}

// asking asks up to three times until it is known: on a busy machine a server closes late,
// and another connection seems to have another timeout.
func asking(args ...string) (code int, out, errs string) {
	for range 3 {
		if code, out, errs = command(args...); code == exit.OK {
			break
		}
	}
	return code, out, errs
}

func TestDiscover(t *testing.T) {
	clitest.Measures(t)
	address := closing(t, 2*time.Second)
	t.Run("text", func(t *testing.T) {
		t.Parallel()
		code, out, errs := asking("discover", address, "--mode", "echo", "--max", "20s", "--connections", "16")
		assert.Equal(t, exit.OK, code, errs)
		assert.Regexp(t, `^after 2(\.\d+)?s: closed \(FIN\) while idle\n16 connections, |^after 2`, out)
		assert.Contains(t, out, "data puts that off, probes do not:\n  send something at least every ")
		assert.NotContains(t, out, "keepalive plan")
		assert.Regexp(t, `round 1, .*: alive after .*, at most \S+ left\n`, errs)
	})
	t.Run("JSON", func(t *testing.T) {
		t.Parallel()
		code, out, errs := asking("discover", address, "--max", "20s", "--json")
		require.Equal(t, exit.OK, code, errs)
		var r discoveryRecord
		require.NoError(t, json.Unmarshal([]byte(out), &r))
		assert.InDelta(t, 2.4, *r.Dead, 0.5, "a busy server closes late")
		assert.Equal(t, "closed (FIN) while idle", *r.End)
		assert.Nil(t, r.MaskedBy)
	})
	t.Run("alive for all that was tried", func(t *testing.T) {
		t.Parallel()
		code, out, _ := asking("discover", address, "--max", "1s", "--min", "500ms", "--connections", "4")
		assert.Equal(t, exit.OK, code)
		assert.Regexp(t, `not below 1(\.\d+)?s, the longest that was tried\n`, out)
		assert.NotContains(t, out, "plan")
	})
}

// TestDiscoveryOffersThePlan that keepalive plan would print.
func TestDiscoveryOffersThePlan(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	printDiscovery(&b, &discover.Result{Alive: 348 * time.Second, Dead: 352 * time.Second, End: "forgotten: silent drop"})
	_, out, _ := command("plan", "--path", "box:348s")
	settings, _, _ := strings.Cut(out, "\n")
	assert.Equal(t, "between 348s and 352s: forgotten: silent drop\n0 connections, 0s\n\n"+
		"if probes refresh the path, which was not measured:\nkeepalive plan --path box:348s\n"+settings+"\n", b.String())
}

func TestDiscoverWrongUse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exit.Usage, "want one HOST:PORT"},
		{[]string{"a:1", "b:2"}, exit.Usage, "want one HOST:PORT"},
		{[]string{"example.com"}, exit.Usage, "missing port"},
		{[]string{"127.0.0.1:1", "--mode", "x"}, exit.Usage, `--mode "x": want plain, echo or http`},
		{[]string{"127.0.0.1:1", "--connections", "2"}, exit.Usage, "--connections 2: want a whole number from 4 to 1000"},
		{[]string{"127.0.0.1:1", "--connections", "0"}, exit.Usage, "--connections 0: want a whole number from 4 to 1000"},
		{[]string{"127.0.0.1:1", "--min", "2h", "--max", "1h"}, exit.Usage, "--min 2h is longer than --max 3600s"},
		{[]string{"127.0.0.1:1", "--max", "-1s"}, exit.Usage, "--max -1s: want a time longer than 0"},
		{[]string{"127.0.0.1:1", "--min", "0"}, exit.Usage, "--min 0: want a time longer than 0"},
		{[]string{"127.0.0.1:1", "--wait", "0s"}, exit.Usage, "--wait 0s: want a time longer than 0"},
		{[]string{"127.0.0.1:1", "--wait", "2m"}, exit.Usage, "--wait 120s: want at most 60s"},
		{[]string{"127.0.0.1:1", "--max", "31d"}, exit.Usage, "--max 31d: want at most 30d"},
		{[]string{"127.0.0.1:1", "--guess", "-1s"}, exit.Usage, "--guess -1s: want a time longer than 0"},
		{[]string{"127.0.0.1:99999"}, exit.Usage, "is no port: want 1 to 65535"},
		{[]string{"127.0.0.1:0"}, exit.Usage, "is no port: want 1 to 65535"},
		{[]string{"127.0.0.1:"}, exit.Usage, "is no port: want 1 to 65535"},
		{[]string{"127.0.0.1:1", "--insecure"}, exit.Usage, "are for --tls"},
		{[]string{"127.0.0.1:1", "--guess", "0"}, exit.Usage, "--guess 0: want a time longer than 0"},
		{[]string{"127.0.0.1:1", "--guess", "3h"}, exit.Usage, "--guess 3h: want it between --min 1s and --max 2h"},
		{[]string{"127.0.0.1:1"}, exit.Problems, "connection refused"},
	} {
		code, out, errs := command(append([]string{"discover"}, tt.args...)...)
		assert.Equal(t, tt.code, code, "%s", tt.args)
		assert.Contains(t, errs, tt.want, "%s", tt.args)
		assert.Empty(t, out)
	}
}

// TestDiscoverDoesNotKnow: nothing is shown as a fact, and the exit code says so.
func TestDiscoverDoesNotKnow(t *testing.T) {
	measured := clitest.Measures(t)
	var n atomic.Int64
	for rule, tt := range map[string]struct {
		serve  func(net.Conn)
		text   string
		record discoveryRecord
	}{
		"a peer that sends by itself": {func(c net.Conn) {
			for range time.Tick(100 * time.Millisecond) {
				if _, err := c.Write([]byte{1}); err != nil {
					return
				}
			}
		}, `^not known: (not below .*s; )?the peer keeps the path alive, it sends something (every \d+ms|by itself)\n4 connections, \d+(\.\d)?s\n$`, discoveryRecord{}},
		"two timeouts": {func(c net.Conn) {
			testkit.EchoUntilIdle(time.Second + time.Duration(n.Add(1)%2)*time.Second)(c)
		}, `^not known: some connections ended after (\d+ms|[1-3](\.\d+)?s) \(closed \(FIN\) (while idle|on the next packet)\), others survived [1-9](\.\d+)?s: there are several timeouts`,
			discoveryRecord{SomeDead: new(1.0), SomeAlive: new(1.5), End: new("closed (FIN)")}},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if tt.record.SomeDead != nil {
				defer measured()
			} else {
				testkit.Long(t)
			}
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			require.NoError(t, err)
			testkit.Serve(t, l, tt.serve)
			args := []string{"discover", l.Addr().String(), "--min", "500ms", "--max", "20s", "--connections"}
			connections := "4"
			if tt.record.SomeDead != nil {
				connections = "16"
			}
			args = slices.Clip(append(args, connections)) // two share it
			var wg sync.WaitGroup
			wg.Go(func() {
				code, out, errs := command(args...)
				assert.Equal(t, exit.Unknown, code, errs)
				assert.Regexp(t, tt.text, out)
				assert.NotContains(t, errs, "not known", "once is enough")
				assert.NotContains(t, out, "plan")
			})
			code, out, _ := command(append(args, "--json")...)
			wg.Wait()
			assert.Equal(t, exit.Unknown, code)
			var r discoveryRecord
			require.NoError(t, json.Unmarshal([]byte(out), &r))
			assert.False(t, r.Known)
			assert.Nil(t, r.Dead)
			if tt.record.SomeDead == nil {
				assert.Nil(t, r.End)
			} else {
				// The server's timeouts are 1 s and 2 s. On a busy machine it notices late, or
				// the client sees the last segment late, and then the end before its silence.
				assert.Contains(t, *r.End, *tt.record.End)
				assert.InDelta(t, 2, *r.SomeDead, 1.4)
				assert.Greater(t, *r.SomeAlive, *r.SomeDead)
			}
		})
	}
}

// TestDiscoverLeavesNothingOut: what could not be tested is not known, and is told once.
func TestDiscoverLeavesNothingOut(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	testkit.Serve(t, l, func(c net.Conn) {
		if n.Add(1)%2 == 0 { // a backend that is broken
			testkit.Echo(c)
		}
	})
	args := []string{"discover", l.Addr().String(), "--mode", "echo", "--min", "300ms", "--max", "600ms", "--connections", "16", "--wait", "5s"}
	code, out, errs := command(args...)
	assert.Equal(t, exit.Unknown, code, out+errs)
	assert.Regexp(t, `^not known: `, out)
	assert.Equal(t, 1, strings.Count(out, "the server ended a new connection"), out)
	code, out, _ = command(append(args, "--json")...)
	assert.Equal(t, exit.Unknown, code)
	assert.Contains(t, out, `"known":false`)
	assert.Regexp(t, `"failed_connections":\d`, out)
}

// TestADiscoveryThatEndedEarly is not an answer, whatever was found until then.
func TestADiscoveryThatEndedEarly(t *testing.T) {
	t.Parallel()
	r := &discover.Result{Alive: 348 * time.Second, Dead: 352 * time.Second, End: "forgotten: silent drop"}
	for err, want := range map[error]string{nil: `"known":true`, io.EOF: `"known":false`} {
		var b strings.Builder
		require.NoError(t, discoverJSON(&b, r, err))
		assert.Contains(t, b.String(), want)
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	t.Parallel()
	one := discover.Test{Idle: time.Second, End: "alive"}
	for want, r := range map[string]*discover.Result{
		"\n1 connection, 0s\n":                                        {Alive: time.Second, Tests: []discover.Test{one}},
		"\n2 connections, 0s\n":                                       {Alive: time.Second, Tests: []discover.Test{one, one}},
		"\n1 connection could not be tested: EOF\n":                   {Alive: time.Second, Tests: []discover.Test{one, one, {End: "failed", Err: io.EOF}}},
		"\n1 connection ended although others were silent for longer": {Alive: 3 * time.Second, Tests: []discover.Test{one, {Idle: 2 * time.Second, End: "forgotten: silent drop"}}},
	} {
		var b strings.Builder
		printDiscovery(&b, r)
		assert.Contains(t, b.String(), want)
	}
}

// TestDiscoverOfWhatIsOfNoUse says what the server did.
func TestDiscoverOfWhatIsOfNoUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	testkit.Serve(t, l, func(c net.Conn) { io.Copy(io.Discard, c) })
	code, out, errs := command("discover", l.Addr().String(), "--mode", "echo", "--connections", "4", "--wait", "200ms")
	assert.Equal(t, exit.Problems, code)
	assert.Empty(t, out)
	assert.Contains(t, errs, "keepalive: discover: none of 4 connections: a new connection was not answered within 200ms: wanted the byte that was sent (echo)\n")
}

// TestDiscoverOfAServerThatClosesEachTime, or of one whose timeout is shorter than all
// that was tried, knows no figure.
func TestDiscoverOfAServerThatClosesEachTime(t *testing.T) {
	measured := clitest.Measures(t)
	t.Run("after each response", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		testkit.Serve(t, l, func(c net.Conn) {
			c.Read(make([]byte, 4000))
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
			io.Copy(io.Discard, c)
		})
		code, out, errs := command("discover", "--mode", "http", "--max", "8s", "--connections", "4", l.Addr().String())
		assert.Equal(t, exit.Unknown, code)
		assert.Empty(t, out)
		assert.Contains(t, errs, "the server closes after each response (HTTP/1.1 200 OK, Connection: close), so no idle timeout can be measured in http mode\n")
	})
	t.Run("before the shortest silence", func(t *testing.T) {
		t.Parallel()
		defer measured()
		code, out, errs := asking("discover", "--mode", "echo", "--min", "2s", "--max", "8s", "--connections", "4", "--json", closing(t, time.Second))
		assert.Equal(t, exit.OK, code, "the server itself told: %s", errs)
		assert.Contains(t, out, `"known":true`)
	})

	once, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	testkit.Serve(t, once, func(c net.Conn) { // one that answers once, and never again
		b := make([]byte, 1)
		c.Read(b)
		c.Write(b)
		io.Copy(io.Discard, c)
	})
	args := slices.Clip([]string{"discover", "--mode", "echo", "--min", "300ms", "--max", "1s", "--connections", "4", once.Addr().String()})
	t.Run("answers once", func(t *testing.T) {
		t.Parallel()
		code, out, errs := command(args...)
		assert.Equal(t, exit.Unknown, code, errs)
		assert.Contains(t, out, "not known: no connection survived the shortest silence that was tried, 3")
		assert.Contains(t, out, "\n--min tries shorter ones; with --mode plain 1s is the least\n")
		assert.NotContains(t, out, "measured")
	})
	t.Run("answers once, JSON", func(t *testing.T) {
		t.Parallel()
		code, out, _ := command(append(args, "--json")...)
		assert.Equal(t, exit.Unknown, code)
		assert.Contains(t, out, `"known":false`)
	})
}
