package transport

import (
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What closes have shown is doubted after a while, the longer the later.
func TestObservedClosesAreDoubted(t *testing.T) {
	t.Parallel()
	rt, err := New(Options{})
	require.NoError(t, err)
	h := rt.host(hostKey{"http", "example.com"})
	c := &conn{t: rt}
	assert.Zero(t, c.limit(), "no request had it")
	c.host.Store(h)
	assert.Zero(t, c.limit())
	c.observe(h, 19*time.Millisecond)
	assert.Zero(t, c.limit(), "no server's timeout")

	kept := func() time.Duration { return time.Duration(h.silent.until.Load() - now()).Round(time.Second) }
	c.observe(h, 5200*time.Millisecond)
	assert.Equal(t, 4200*time.Millisecond, c.limit())
	assert.Equal(t, 520*time.Second, kept())
	c.observe(h, 30*time.Second)
	assert.Equal(t, 4200*time.Millisecond, c.limit(), "the shortest counts")
	c.observe(h, 200*time.Millisecond)
	assert.Equal(t, 100*time.Millisecond, c.limit())
	assert.Equal(t, time.Minute, kept())

	announcing := &conn{t: rt}
	announcing.host.Store(h)
	announcing.announced.Store(int64(7*time.Second) + 1)
	assert.Equal(t, 6*time.Second, announcing.limit(), "what others do is not about this one")
	announcing.observe(h, 6500*time.Millisecond)
	assert.Equal(t, 6*time.Second, announcing.limit(), "as announced")
	announcing.observe(h, 2*time.Second)
	assert.Equal(t, time.Second, announcing.limit(), "the header was not true")

	h.silent.until.Store(now() - 1)
	h.early.until.Store(now() - 1)
	assert.Equal(t, 100*time.Millisecond, c.limit(), "it counts until something else is known")
	assert.Equal(t, time.Second, announcing.limit())
	c.observe(h, 20*time.Second)
	assert.Zero(t, kept(), "this one was idle for too long by mistake")
	c.observe(h, 210*time.Millisecond)
	assert.Equal(t, time.Minute, kept())
}

func TestDifferent(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	for _, tt := range []struct {
		times []time.Duration
		want  int
	}{
		{nil, 0},
		{[]time.Duration{300 * ms, 310 * ms, 345 * ms, 500 * ms}, 1}, // a busy machine
		{[]time.Duration{300 * ms, 610 * ms, 310 * ms, 640 * ms}, 2},
		{[]time.Duration{5000 * ms, 600 * ms, 5490 * ms, 2100 * ms}, 3},
	} {
		assert.Equal(t, tt.want, different(tt.times), "%v", tt.times)
	}
}

// While a machine sleeps the monotonic clock stands still, and the wall clock and the
// server's do not: a close that comes after it shows no short timeout. Here the sleep
// is an hour by which the wall clock is ahead since the last response.
func TestASleepIsIdleTime(t *testing.T) {
	t.Parallel()
	for how, end := range map[string]func(*conn){
		"FIN while idle":   func(c *conn) { c.ended(&c.unread) },
		"FIN when picked":  func(c *conn) { c.state.Store(state(1, picked)); c.ended(&c.unread) },
		"TLS close_notify": func(c *conn) { c.came(); c.Close() },
		"dropped":          func(c *conn) { c.Close() },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			ended := make(chan time.Duration, 10)
			note := func(_ string, idle time.Duration) { ended <- idle.Round(time.Minute) }
			rt, err := New(Options{Events: Events{PeerClosed: note, Dropped: note}})
			require.NoError(t, err)
			near, far := net.Pipe()
			defer far.Close()
			c := newConn(near, rt, "example.com:80")
			h := rt.host(hostKey{"http", "example.com"})
			c.host.Store(h)
			c.state.Store(state(1, idle))
			c.read.Store(now() - int64(time.Second))
			c.wall.Store(ahead(time.Now()) - int64(time.Hour))
			end(c)
			assert.Equal(t, time.Hour, <-ended)
			assert.Empty(t, ended)
			if how != "dropped" {
				assert.Equal(t, time.Hour, h.silent.shortest().Round(time.Minute))
			}
		})
	}
}

// What a server sends on an idle HTTP/2 connection is taken for the beginning of its
// end, once that has come, unless it was answered, or came just after the response.
func TestWhatAnHTTP2ServerSentBeforeItsEnd(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		events string        // each: at so many seconds, bytes come (c), are read on after (r), something is written (w), the end comes (e)
		want   time.Duration // 0: nothing is learned
	}{
		"GOAWAY, and the end with it":     {"30c 30e", 30 * time.Second},
		"GOAWAY, and the end later":       {"30c 30r 31c 31e", 30 * time.Second},
		"no GOAWAY":                       {"30e", 30 * time.Second},
		"WINDOW_UPDATE, GOAWAY":           {"0c 0r 30c 30r 31c 31e", 30 * time.Second},
		"its PING, GOAWAY":                {"10c 10w 10r 30c 30r 31c 31e", 30 * time.Second},
		"our PING, GOAWAY":                {"10w 10c 10r 30c 30r 31c 31e", 30 * time.Second},
		"a PING that nobody answers":      {"10c 10r 30c 30e", 10 * time.Second},
		"GOAWAY, and close_notify of us":  {"30c 30r 31c 31w 31e", 30 * time.Second},
		"an answer to close_notify of us": {"30w 30c 30e", 0},
		"an end that close_notify caused": {"30w 30e", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rt, err := New(Options{})
			require.NoError(t, err)
			near, far := net.Pipe()
			defer far.Close()
			go io.Copy(io.Discard, far)
			c := newConn(near, rt, "example.com:443")
			c.kind.Store(notHTTP1)
			h := rt.host(hostKey{"https", "example.com"})
			c.host.Store(h)
			_, _, joined := c.join()
			require.True(t, joined)
			c.leave(true, false)
			for event := range strings.FieldsSeq(tt.events) {
				at, what := event[:len(event)-1], event[len(event)-1:]
				seconds, err := strconv.Atoi(at)
				require.NoError(t, err)
				c.read.Store(now() - int64(time.Duration(seconds)*time.Second))
				switch what {
				case "c":
					c.came()
				case "r":
					near.SetReadDeadline(time.Unix(1, 0))
					c.closing.Store(true) // so that this is no end
					c.Read(make([]byte, 1))
					c.closing.Store(false)
				case "w":
					c.Write([]byte("x"))
				case "e":
					if c.spoke.Load() == 0 { // else TLS has read of it
						c.ended(&c.unread)
					}
					c.Close()
				}
			}
			assert.Equal(t, tt.want, h.silent.shortest().Round(time.Second))
		})
	}
}

// The same as TestARestartIsNoTimeout, without a machine that may be too busy to see
// the closes at once.
func TestClosesOfDifferentAgesTellNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		idle []time.Duration
		want time.Duration
	}{
		"a restart":    {[]time.Duration{time.Second, 3 * time.Second, 7 * time.Second}, 0},
		"one timeout":  {[]time.Duration{3 * time.Second, 3 * time.Second, 4 * time.Second}, 3 * time.Second},
		"two timeouts": {[]time.Duration{time.Second, 3 * time.Second, time.Second}, time.Second},
		"one close":    {[]time.Duration{7 * time.Second}, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rt, err := New(Options{})
			require.NoError(t, err)
			h := rt.host(hostKey{"http", "example.com"})
			for _, idleFor := range tt.idle {
				near, far := net.Pipe()
				defer far.Close()
				c := newConn(near, rt, "example.com:80")
				c.host.Store(h)
				c.state.Store(state(1, idle))
				c.read.Store(now() - int64(idleFor))
				c.ended(&c.unread)
			}
			h.silent.settle(h)
			assert.Equal(t, tt.want, h.silent.shortest().Round(time.Second))
		})
	}
}
