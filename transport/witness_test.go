package transport

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A figure that is doubted is replaced when as many witnesses as are asked all were closed
// later. One of them that was closed early is enough to hold it.
func TestWitnesses(t *testing.T) {
	t.Parallel()
	const figure, later = 10 * time.Second, 60 * time.Second
	all := func(idle time.Duration) []time.Duration {
		times := make([]time.Duration, witnesses)
		for i := range times {
			times[i] = idle + time.Duration(i)*time.Second
		}
		return times
	}
	one := func(idle time.Duration) []time.Duration {
		times := all(later)
		times[witnesses/2] = idle
		return times
	}
	for name, tt := range map[string]struct {
		witnesses [][]time.Duration // of each test, when they are closed
		want      time.Duration
		wrong     int
	}{
		"none was closed yet":               {nil, figure, 0},
		"too few":                           {[][]time.Duration{all(later)[1:]}, figure, 0},
		"all later":                         {[][]time.Duration{all(later)}, later, 0},
		"the shortest counts":               {[][]time.Duration{one(20 * time.Second)}, 20 * time.Second, 0},
		"one as early":                      {[][]time.Duration{one(figure)}, figure, 0},
		"one a little later":                {[][]time.Duration{one(figure * 109 / 100)}, figure, 0},
		"one earlier":                       {[][]time.Duration{one(9100 * time.Millisecond)}, 9100 * time.Millisecond, 0},
		"too few, twice":                    {[][]time.Duration{one(figure), all(later)[1:]}, figure, 0},
		"all later, and later still":        {[][]time.Duration{all(later), all(2 * later)}, 2 * later, 0},
		"all later, but others not":         {[][]time.Duration{all(later), {figure}}, figure, 1},
		"all later, but others not, twice":  {[][]time.Duration{all(later), {figure}, all(later), {figure}}, figure, 2},
		"all later, then shorter, not less": {[][]time.Duration{all(later), {later / 2}}, later / 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rt, err := New(Options{})
			require.NoError(t, err)
			h := rt.host(hostKey{"http", "example.com"})
			s := &h.silent
			s.observe(h, figure)
			s.settle(h) // what follows is not of the same moment
			assert.Equal(t, 10*time.Minute, time.Duration(s.until.Load()-now()).Round(time.Second))
			for _, times := range tt.witnesses {
				s.until.Store(now() - 1)
				var asked []*conn
				for range witnesses + 4 {
					if c := witness(t, h); c.witness != nil {
						asked = append(asked, c)
					}
				}
				require.Len(t, asked, witnesses)
				for i, idle := range times {
					s.testified(asked[i], idle)
					s.settle(h)
				}
			}
			assert.Equal(t, tt.want, s.shortest())
			held := time.Duration(s.until.Load() - now())
			if n := len(tt.witnesses); n > 0 && len(tt.witnesses[n-1]) == witnesses-1 {
				assert.Negative(t, held, "the test goes on")
				assert.Len(t, s.watched, 1)
				s.dismiss()
				assert.NotNil(t, witness(t, h).witness, "another one takes its place")
				return
			}
			assert.Equal(t, 10*time.Minute<<tt.wrong, held.Round(time.Second))
			assert.Nil(t, witness(t, h).witness, "there is no test")
			assert.Empty(t, s.watched)
		})
	}
}

// A restart that comes after a figure was replaced is taken back wholly: what is known about
// the one before stays known, and the next test comes no later than without the restart.
func TestARestartAfterAReplacementIsTakenBack(t *testing.T) {
	t.Parallel()
	const figure, later = 10 * time.Second, 60 * time.Second
	rt, err := New(Options{})
	require.NoError(t, err)
	h := rt.host(hostKey{"http", "example.com"})
	s := &h.silent
	s.least.Store(int64(figure))
	for range witnesses {
		s.testified(witness(t, h), later)
	}
	require.Equal(t, later, s.shortest())
	until := s.until.Load()

	for _, idle := range []time.Duration{7 * time.Second, 3 * time.Second, time.Second} {
		s.observe(h, idle)
	}
	s.settle(h)
	assert.Equal(t, later, s.shortest())
	assert.Equal(t, until, s.until.Load())
	assert.Zero(t, s.wrong, "no server has shown that the longer time is wrong")
	assert.Equal(t, figure, s.replaced)

	s.observe(h, figure)
	s.settle(h)
	assert.Equal(t, figure, s.shortest())
	assert.Equal(t, 1, s.wrong, "now one has")
	assert.Equal(t, 20*time.Minute, time.Duration(s.until.Load()-now()).Round(time.Second))
}

// witness is a connection that is dropped, without a server.
func witness(t *testing.T, h *host) *conn {
	near, far := net.Pipe()
	t.Cleanup(func() { far.Close() })
	c := newConn(near, h.t, "example.com:80")
	c.host.Store(h)
	c.state.Store(state(1, idle))
	c.drop(c.state.Load(), true)
	return c
}

// A witness whose end was seen late shows nothing.
func TestWhatAWitnessIsBelieved(t *testing.T) {
	t.Parallel()
	failed := func(err error) error { return &net.OpError{Op: "read", Err: os.NewSyscallError("read", err)} }
	for name, tt := range map[string]struct {
		err   error // of the Read
		slept time.Duration
		later int
	}{
		"bytes":               {nil, 0, 1},
		"FIN":                 {io.EOF, 0, 1},
		"RST":                 {failed(syscall.ECONNRESET), 0, 1},
		"as long as net/http": {os.ErrDeadlineExceeded, 0, 1},
		"no answer to probes": {failed(syscall.ETIMEDOUT), 0, 0},
		"no route":            {failed(syscall.EHOSTUNREACH), 0, 0},
		"closed here":         {net.ErrClosed, 0, 0},
		"something else":      {os.ErrInvalid, 0, 0},
		"RST after a sleep":   {failed(syscall.ECONNRESET), time.Hour, 0},
		"FIN after a sleep":   {io.EOF, time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rt, err := New(Options{})
			require.NoError(t, err)
			rt.doubtAfter = 1
			h := rt.host(hostKey{"http", "example.com"})
			h.silent.observe(h, time.Second)
			time.Sleep(time.Millisecond)
			near, far := net.Pipe()
			defer far.Close()
			c := newConn(ending{near, tt.err}, rt, "example.com:80")
			c.host.Store(h)
			c.state.Store(state(1, idle))
			c.read.Store(now() - int64(time.Minute))
			c.wall.Store(ahead(time.Now()) - int64(tt.slept))
			c.drop(c.state.Load(), true)
			require.NotNil(t, c.witness)
			c.testify(c.witness)
			assert.Equal(t, tt.later, h.silent.later)
			assert.Empty(t, h.silent.watched)
			assert.Equal(t, time.Second, h.silent.shortest())
			_, err = far.Read(make([]byte, 1))
			assert.ErrorIs(t, err, io.EOF, "it is closed")
		})
	}
}

// ending is a connection whose Read returns this.
type ending struct {
	net.Conn
	err error
}

func (e ending) Read([]byte) (int, error) { return 0, e.err }

// A connection that is dropped as its server announced, or after as many requests as that
// takes, shows nothing.
func TestWhoIsNoWitness(t *testing.T) {
	t.Parallel()
	rt, err := New(Options{})
	require.NoError(t, err)
	h := rt.host(hostKey{"http", "example.com"})
	assert.Nil(t, witness(t, h).witness, "there is no figure")
	rt.doubtAfter = 1
	h.silent.observe(h, 10*time.Second)
	h.early.observe(h, 10*time.Second)
	time.Sleep(time.Millisecond)
	assert.Equal(t, &h.silent, witness(t, h).witness)
	for announced, want := range map[time.Duration]*sightings{5 * time.Second: nil, 10 * time.Second: nil, 20 * time.Second: &h.early} {
		c := &conn{t: rt}
		c.host.Store(h)
		c.announced.Store(int64(announced) + 1)
		assert.Equal(t, want, c.doubtful(), announced)
	}
	near, far := net.Pipe()
	defer far.Close()
	c := newConn(near, rt, "example.com:80")
	c.host.Store(h)
	c.most.Store(1)
	c.state.Store(state(1, sent))
	c.finish(1)
	assert.Nil(t, c.witness)
	_, _, p := c.now()
	assert.Equal(t, over, p)
}

// Of many hosts those are forgotten first of which nothing was learned.
func TestHostsThatTaughtSomethingAreForgottenLast(t *testing.T) {
	t.Parallel()
	rt, err := New(Options{})
	require.NoError(t, err)
	for i := range 100 {
		h := rt.host(hostKey{"http", string(rune('a' + i))})
		[]*sightings{&h.silent, &h.early}[i%2].observe(h, 10*time.Second)
	}
	RememberHosts(rt, 3*maxHosts)
	for i := range 100 {
		h := rt.host(hostKey{"http", string(rune('a' + i))})
		assert.NotZero(t, h.silent.shortest()+h.early.shortest())
	}
	for _, h := range rt.hosts {
		h.silent.observe(h, 10*time.Second)
	}
	RememberHosts(rt, 3*maxHosts)
	assert.LessOrEqual(t, len(rt.hosts), maxHosts, "if all have")
}

// A connection stays open as a witness whatever net/http does between the drop and its
// Close, and no slot is taken by one that does not.
func TestFromTheDropToTheWitness(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before, after func(*conn) // the drop, which is at work
		want          bool
	}{
		"closed":                       {nil, nil, true},
		"closed twice":                 {nil, func(c *conn) { c.Close() }, true},
		"picked by a request":          {nil, func(c *conn) { c.pick(true); c.Write([]byte("x")) }, true},
		"with HTTP/2":                  {nil, func(c *conn) { c.kind.Store(notHTTP1); c.join() }, true},
		"told to end, by close_notify": {nil, func(c *conn) { c.Write([]byte("x")) }, true},
		"closed at the same time":      {func(c *conn) { c.Close() }, nil, false},
		"told to end before":           {func(c *conn) { c.Write([]byte("x")) }, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rt, err := New(Options{})
			require.NoError(t, err)
			rt.doubtAfter = 1
			h := rt.host(hostKey{"http", "example.com"})
			h.silent.observe(h, time.Second)
			time.Sleep(time.Millisecond)
			near, far := net.Pipe()
			defer far.Close()
			sent := make(chan int64, 1)
			go func() {
				n, _ := io.Copy(io.Discard, far)
				sent <- n
			}()
			c := newConn(near, rt, "example.com:80")
			c.host.Store(h)
			c.state.Store(state(1, over)) // drop has moved it
			for _, step := range []func(*conn){tt.before, (*conn).volunteer, tt.after, func(c *conn) { c.Close() }} {
				if step != nil {
					step(c)
				}
			}
			h.silent.mu.Lock()
			n := len(h.silent.watched)
			h.silent.mu.Unlock()
			assert.Equal(t, tt.want, n == 1)
			if tt.want {
				assert.Empty(t, sent, "it is open")
				h.silent.dismiss()
				assert.Zero(t, <-sent)
			}
		})
	}
}
