package transport

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a close has shown is replaced when enough requests in a row were served by connections
// that had been idle for longer. One close that is as early holds it.
func TestDoubts(t *testing.T) {
	t.Parallel()
	const figure = 10 * time.Second
	const second = time.Second
	served := func(n int, first time.Duration) (all []time.Duration) {
		for i := range n {
			all = append(all, first+time.Duration(i)*second)
		}
		return all
	}
	for name, tt := range map[string]struct {
		seen  [][]time.Duration // in each time of doubt: requests served after so long, negative: closes
		want  time.Duration
		wrong int
	}{
		"nothing":                    {nil, figure, 0},
		"too few":                    {[][]time.Duration{served(enough-1, 60*second)}, figure, 0},
		"enough":                     {[][]time.Duration{served(enough, 60*second)}, 60 * second, 0},
		"not longer":                 {[][]time.Duration{served(enough, 5*second)[:6], served(enough-1, 60*second)}, figure, 0},
		"hardly longer":              {[][]time.Duration{{figure * 109 / 100}, served(enough-1, 60*second)}, figure, 0},
		"the shortest counts":        {[][]time.Duration{append(served(enough-1, 60*second), 20*second)}, 20 * second, 0},
		"a close in between":         {[][]time.Duration{append(served(enough-1, 60*second), -figure, 60*second)}, figure, 0},
		"an earlier close":           {[][]time.Duration{append(served(enough-1, 60*second), -9*second)}, 9 * second, 0},
		"longer, and longer still":   {[][]time.Duration{served(enough, 60*second), served(enough, 120*second)}, 120 * second, 0},
		"longer, but others not":     {[][]time.Duration{served(enough, 60*second), {-figure}}, figure, 1},
		"the same twice":             {[][]time.Duration{served(enough, 60*second), {-figure}, served(enough, 60*second), {-figure}}, figure, 2},
		"longer, then in between":    {[][]time.Duration{served(enough, 60*second), {-30 * second}}, 30 * second, 0},
		"a later close says nothing": {[][]time.Duration{append(served(enough-1, 60*second), -60*second)}, figure, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rt, err := New(Options{})
			require.NoError(t, err)
			h := rt.host(hostKey{"http", "example.com"})
			s := &h.silent
			s.observe(h, figure)
			s.settle(h) // what follows is not of the same moment
			assert.Equal(t, 10*time.Minute, time.Duration(s.until.Load()-now()).Round(second))
			for _, served := range served(enough, 60*second) {
				s.survived(h, served)
			}
			assert.Equal(t, figure, s.shortest(), "there is no doubt yet")
			for _, seen := range tt.seen {
				s.until.Store(now() - 1)
				for _, idle := range seen {
					if idle > 0 {
						s.survived(h, idle)
					} else {
						s.observe(h, -idle)
						s.settle(h)
					}
				}
			}
			assert.Equal(t, tt.want, s.shortest())
			assert.Equal(t, tt.wrong, s.wrong)
			if held := time.Duration(s.until.Load() - now()); held > 0 {
				assert.Equal(t, 10*time.Minute<<tt.wrong, held.Round(second))
			}
		})
	}
}

// A restart that comes after a figure was replaced is taken back wholly: what is known about
// the one before stays known, and the next doubt comes no later than without the restart.
func TestARestartAfterAReplacementIsTakenBack(t *testing.T) {
	t.Parallel()
	const figure, later = 10 * time.Second, 60 * time.Second
	rt, err := New(Options{})
	require.NoError(t, err)
	h := rt.host(hostKey{"http", "example.com"})
	s := &h.silent
	s.least.Store(int64(figure))
	for range enough {
		s.survived(h, later)
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

// While there is doubt, a connection stays as long as its server has announced.
func TestPatience(t *testing.T) {
	t.Parallel()
	rt, err := New(Options{})
	require.NoError(t, err)
	h := rt.host(hostKey{"http", "example.com"})
	silent, announcing := &conn{t: rt}, &conn{t: rt}
	silent.host.Store(h)
	announcing.host.Store(h)
	announcing.announced.Store(int64(20*time.Second) + 1)
	assert.Zero(t, silent.patience())
	assert.Equal(t, 19*time.Second, announcing.patience())
	h.silent.observe(h, 10*time.Second)
	h.early.observe(h, 10*time.Second)
	assert.Equal(t, 9*time.Second, silent.patience())
	assert.Equal(t, 9*time.Second, announcing.patience())
	h.silent.until.Store(now() - 1)
	h.early.until.Store(now() - 1)
	assert.Zero(t, silent.patience())
	assert.Equal(t, 19*time.Second, announcing.patience())
	assert.Equal(t, 9*time.Second, silent.limit(), "for a POST")
	assert.Equal(t, 9*time.Second, announcing.limit())
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
