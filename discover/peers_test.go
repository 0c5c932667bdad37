package discover_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"regexp"
	"runtime"
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

// serve serves on this machine.
func serve(t *testing.T, f func(net.Conn)) (address string) {
	t.Helper()
	lc := net.ListenConfig{KeepAlive: -1}
	l, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	testkit.Serve(t, l, f)
	return l.Addr().String()
}

// within is a context of a search that has to end by itself.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, errors.New("it does not end"))
	t.Cleanup(cancel)
	return ctx
}

// answerOne sends the first byte back.
func answerOne(c net.Conn) {
	b := make([]byte, 1)
	c.Read(b)
	c.Write(b)
}

// A peer that never is silent for long enough does not keep the search from ending, and
// nothing is claimed about the path.
func TestAPeerThatIsNeverSilent(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		serve func(net.Conn)
		check *discover.Check
		want  string
	}{
		"a byte every 100 ms": {func(c net.Conn) {
			answerOne(c)
			for range time.Tick(100 * time.Millisecond) {
				if _, err := c.Write([]byte{'x'}); err != nil {
					return
				}
			}
		}, discover.Echo, `^discover: not known: the peer keeps the path alive, it sends something (every \d+ms|by itself)$`}, // it depends on how busy the machine is
		"a pause, and then a byte every 100 ms": {func(c net.Conn) {
			answerOne(c)
			time.Sleep(500 * time.Millisecond)
			for range time.Tick(100 * time.Millisecond) {
				if _, err := c.Write([]byte{'x'}); err != nil {
					return
				}
			}
		}, discover.Echo, `^discover: not known: the peer keeps the path alive, it sends something( every \d+ms| by itself)$`},
		"a flood": {func(c net.Conn) {
			answerOne(c)
			b := make([]byte, 4096) // a second without a pause would leave no CPU to the other tests
			for range time.Tick(time.Millisecond) {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		}, discover.Echo, `^discover: not known: the peer keeps the path alive, it sends something (all the time|every \d+ms|by itself)$`},
		"a header that does not end": {func(c net.Conn) {
			bufio.NewReader(c).ReadString('\n')
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for range time.Tick(10 * time.Millisecond) {
				if _, err := io.WriteString(c, "X: y\r\n"); err != nil {
					return
				}
			}
		}, discover.HTTP("x"), `^discover: none of 4 connections: a new connection was not answered within 1s: wanted the header of an answer \(http\)$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := discover.Run(within(t, 20*time.Second), discover.Options{
				Address: serve(t, tt.serve), Check: tt.check, Connections: 4, Max: time.Minute,
			})
			if err == nil {
				err = r.Err()
				assert.ErrorIs(t, err, sockopt.ErrUnknown)
				assert.Zero(t, r.Dead)
			}
			require.Error(t, err)
			assert.Regexp(t, tt.want, err.Error())
		})
	}
}

// What a peer sends once, after its answer, is no period: the silence begins anew.
func TestWhatComesOnceIsNoPeriod(t *testing.T) {
	t.Parallel()
	address := serve(t, func(c net.Conn) {
		answerOne(c)
		time.Sleep(600 * time.Millisecond)
		io.WriteString(c, "a late word")
		io.Copy(io.Discard, c)
	})
	r, err := discover.Run(within(t, 20*time.Second), discover.Options{
		Address: address, Check: discover.Echo, Connections: 4, Min: time.Second, Max: 1500 * time.Millisecond,
	})
	require.NoError(t, err)
	assert.Zero(t, r.MaskedBy)
	assert.NotEqual(t, "kept alive by the peer", r.Tests[len(r.Tests)-1].End)
}

// TestLastWords: what a server says before it closes an idle connection is a part of the
// close, and no sign that it keeps the path alive. What TLS says below the program's
// bytes is not traffic either.
func TestLastWords(t *testing.T) {
	t.Parallel()
	const truth = 2 * time.Second
	// untilIdle answers each line with this, and ends with last words.
	untilIdle := func(answer string, end func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			for b := make([]byte, 4096); ; {
				c.SetReadDeadline(time.Now().Add(truth))
				if _, err := c.Read(b); errors.Is(err, io.EOF) {
					return
				} else if err != nil {
					end(c)
					return
				}
				io.WriteString(c, answer)
			}
		}
	}
	const ok, timedOut = "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"
	certificate := certificate(t)
	secure := func(ctx context.Context, c net.Conn) (net.Conn, error) {
		s := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		return s, s.HandshakeContext(ctx)
	}
	overTLS := func(f func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			f(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}}))
		}
	}
	say := func(words string, then time.Duration) func(net.Conn) {
		return func(c net.Conn) {
			io.WriteString(c, words)
			time.Sleep(then)
		}
	}
	for name, tt := range map[string]struct {
		serve   func(net.Conn)
		options discover.Options
	}{
		"408, then FIN":              {untilIdle(ok, say(timedOut, 0)), discover.Options{Check: discover.HTTP("x")}},
		"408, FIN later":             {untilIdle(ok, say(timedOut, 400*time.Millisecond)), discover.Options{Check: discover.HTTP("x")}},
		"an error message, then FIN": {untilIdle("k", say("421 idle", 100*time.Millisecond)), discover.Options{Check: discover.Echo}},
		"close_notify, then FIN": {overTLS(untilIdle("k", func(c net.Conn) {
			c.(*tls.Conn).CloseWrite()
			time.Sleep(300 * time.Millisecond)
			c.(*tls.Conn).NetConn().Close()
		})), discover.Options{Check: discover.Echo, Secure: secure}},
		"408, close_notify, FIN": {overTLS(untilIdle(ok, func(c net.Conn) {
			io.WriteString(c, timedOut)
			time.Sleep(100 * time.Millisecond)
			c.Close()
		})), discover.Options{Check: discover.HTTP("x"), Secure: secure}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := tt.options
			o.Address, o.Connections, o.Max, o.Wait = serve(t, tt.serve), 16, time.Minute, 5*time.Second
			r := measure(t, o, `^after (1\.[1-9]\d?|2(\.\d+)?)s: closed \(FIN\) while idle$`)
			assert.NoError(t, r.Err())
			assert.InDelta(t, truth.Seconds(), r.Dead.Seconds(), 0.9, "a busy server is late: %s", r)
		})
	}
}

// TestSeveralTimeouts behind one address: no figure is stated as a fact.
func TestSeveralTimeouts(t *testing.T) {
	t.Parallel()
	const short, long = 1500 * time.Millisecond, 4 * time.Second
	resets := func(after time.Duration) func(net.Conn) {
		return func(c net.Conn) {
			answerOne(c)
			answered := time.Now()
			b := make([]byte, 1)
			if _, err := c.Read(b); err != nil {
				return
			}
			if time.Since(answered) > after {
				c.(*net.TCPConn).SetLinger(0)
				return
			}
			c.Write(b)
		}
	}
	for name, tt := range map[string]struct {
		one, other func(net.Conn)
		end        string
	}{
		"both close by themselves":     {testkit.EchoUntilIdle(short), testkit.EchoUntilIdle(long), "closed (FIN) while idle"},
		"one closes, one never":        {testkit.EchoUntilIdle(short), testkit.Echo, "closed (FIN) while idle"},
		"one resets on use, one never": {resets(short), testkit.Echo, "forgotten: RST on the next packet"},
		"one is silent on use, one lives": {func(c net.Conn) {
			answerOne(c)
			c.SetReadDeadline(time.Now().Add(short))
			if _, err := c.Read(make([]byte, 1)); err == nil {
				c.Write([]byte{'k'})
			}
			io.Copy(io.Discard, nothing{c})
		}, testkit.Echo, "acknowledged, but not answered"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.end != "closed (FIN) while idle" { // which is found soonest
				testkit.Long(t)
			}
			var n atomic.Int64
			address := serve(t, func(c net.Conn) {
				if n.Add(1)%2 == 0 {
					tt.one(c)
				} else {
					tt.other(c)
				}
			})
			wait := 5 * time.Second // on a busy machine
			if tt.end == "acknowledged, but not answered" {
				wait = time.Second
			}
			end := tt.end
			if end == "acknowledged, but not answered" && runtime.GOOS != "linux" { // who acknowledged is not known there
				end = "forgotten: silent drop"
			}
			r := measure(t, discover.Options{Address: address, Check: discover.Echo, Max: time.Minute, Connections: 32, Wait: wait},
				`^not known: some connections ended after [1-3](\.\d+)?s \(`+regexp.QuoteMeta(end)+`\), others survived [1-9]\d*(\.\d+)?s: there are several timeouts`)
			require.ErrorIs(t, r.Err(), sockopt.ErrUnknown)
			assert.Zero(t, r.Dead)
			assert.Greater(t, r.SomeDead, short-500*time.Millisecond, "a busy server reads late")
			assert.Less(t, r.SomeDead, long, "the next that was tried")
			assert.Less(t, r.Alive, r.SomeDead)
			_, err := r.Profile("x")
			assert.ErrorIs(t, err, sockopt.ErrUnknown)
		})
	}
}

// nothing reads until the other side closes, without a deadline.
type nothing struct{ net.Conn }

func (n nothing) Read(b []byte) (int, error) {
	n.SetReadDeadline(time.Time{})
	return n.Conn.Read(b)
}

// TestAGuessThatIsTooLow: the search goes on from a guess that is too low.
func TestAGuessThatIsTooLow(t *testing.T) {
	t.Parallel()
	const truth = 2500 * time.Millisecond
	address := serve(t, testkit.EchoUntilIdle(truth))
	r, err := discover.Run(within(t, 30*time.Second), discover.Options{Address: address, Check: discover.Echo, Guess: time.Second, Connections: 16})
	require.NoError(t, err)
	assert.Equal(t, "closed (FIN) while idle", r.End, "%s", r)
	assert.InDelta(t, truth.Seconds(), r.Dead.Seconds(), 0.5, "a busy server is late")
}

// TestWhatANewConnectionDoes: if it makes a measurement impossible, the error says so.
func TestWhatANewConnectionDoes(t *testing.T) {
	t.Parallel()
	silent := func(c net.Conn) { io.Copy(io.Discard, c) }
	for name, tt := range map[string]struct {
		serve  func(net.Conn)
		check  *discover.Check
		secure func(context.Context, net.Conn) (net.Conn, error)
		want   string
	}{
		"echo on a silent server": {silent, discover.Echo, nil,
			"a new connection was not answered within 300ms: wanted the byte that was sent (echo)"},
		"http on a silent server": {silent, discover.HTTP("x"), nil,
			"a new connection was not answered within 300ms: wanted the header of an answer (http)"},
		"echo on a server that greets": {func(c net.Conn) { io.WriteString(c, "220 mail ready\r\n"); silent(c) }, discover.Echo, nil,
			`a new connection (echo): the answer "220 mail ready\r\n" is not that of an echo server`},
		"http on one that greets": {func(c net.Conn) { io.WriteString(c, "SSH-2.0-x\r\n"); silent(c) }, discover.HTTP("x"), nil,
			`a new connection (http): the answer "SSH-2.0-x\r\n" is not that of an HTTP/1.1 server`},
		"a server that closes": {func(c net.Conn) { c.Read(make([]byte, 100)) }, discover.Echo, nil,
			"the server ended a new connection, without the byte that was sent (echo): EOF"},
		"a server that answers, and closes": {answerOne, discover.Echo, nil,
			"the server answered a new connection and ended it at once, so no idle timeout can be measured in echo mode: EOF"},
		"a handshake that fails": {silent, discover.Echo, func(context.Context, net.Conn) (net.Conn, error) { return nil, errors.New("no TLS here") },
			"no TLS here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wait := 10 * time.Second
			if strings.Contains(tt.want, "was not answered") {
				wait = 300 * time.Millisecond
			}
			_, err := discover.Run(within(t, 20*time.Second), discover.Options{
				Address: serve(t, tt.serve), Check: tt.check, Secure: tt.secure, Connections: 4, Wait: wait,
			})
			require.Error(t, err)
			assert.Equal(t, "discover: none of 4 connections: "+tt.want, err.Error())
		})
	}
}
