package discover

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestASilenceThatNobodyWatched: a process that is starved just before it asks does not
// know whether anything came meanwhile, so that this time is not one that was survived. It
// is one that was not survived.
func TestASilenceThatNobodyWatched(t *testing.T) {
	t.Parallel()
	for _, alive := range []bool{true, false} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			if alive {
				io.Copy(c, c)
			} else {
				io.Copy(io.Discard, c)
			}
		}()
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		now := time.Now()
		s := &subject{conn: c, tcp: c, reads: make(chan arrival, 16), check: Echo, wait: 10 * time.Second}
		s.quiet, s.looked = now.Add(-5*time.Second), now.Add(-3*time.Second)
		if !alive {
			s.wait = 100 * time.Millisecond
		}
		go s.read()
		got := s.conclude(t.Context())
		if alive {
			assert.Equal(t, endSurvived, got.End)
			assert.Equal(t, 2*time.Second, got.Idle)
		} else {
			assert.True(t, got.Died(), got.End)
			assert.GreaterOrEqual(t, got.Idle, 5*time.Second)
		}
	}
}

// TestAnEndBeforeTheSilence: a process that is stopped before the silence begins, and finds
// the connection ended when it goes on, does not take the end for the beginning.
func TestAnEndBeforeTheSilence(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	peer, err := l.Accept()
	require.NoError(t, err)
	require.NoError(t, peer.Close())
	s := &subject{conn: c, tcp: c, reads: make(chan arrival, 16), check: Echo, wait: time.Second}
	time.AfterFunc(2*settle, s.read) // which had not run yet
	_, err = s.quieten(t.Context())
	if _, counts := receivedBy(c); counts {
		assert.ErrorContains(t, err, "ended it")
	}
}
