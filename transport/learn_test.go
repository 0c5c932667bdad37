package transport

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What closes told is forgotten after a while, unless a header says it now.
func TestObservedClosesAreForgotten(t *testing.T) {
	t.Parallel()
	rt, err := New(Options{})
	require.NoError(t, err)
	h := rt.host(hostKey{"http", "example.com"})
	limit := func() time.Duration { return h.pool.Load().IdleConnTimeout }
	usual := limit()

	h.seen = sighting{time.Now().Add(-time.Hour), 5 * time.Second}
	h.peerClosed(5200 * time.Millisecond)
	assert.Less(t, limit(), 5*time.Second)
	assert.Greater(t, limit(), 3*time.Second)

	h.until.Store(now() - 1)
	h.choosePool()
	assert.Equal(t, usual, limit())

	h.header.Store(int64(7*time.Second) + 1)
	h.peerClosed(5200 * time.Millisecond) // of a server that has a header
	h.choosePool()
	assert.Greater(t, limit(), 5*time.Second)
}

func TestCoarse(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	for d := time.Duration(1); d < 100*time.Hour; d += d/100 + 1 {
		c := coarse(d)
		assert.LessOrEqual(t, c, d)
		assert.GreaterOrEqual(t, float64(c), float64(d)*7/8)
		if d > time.Millisecond {
			seen[c] = true
		}
	}
	assert.LessOrEqual(t, len(seen), 8*30, "a bounded number of pools")
}
