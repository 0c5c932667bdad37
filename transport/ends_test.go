package transport

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// On a busy machine net/http may have a connection back, find its end, and close it, before
// the reader of the response gets to note that it has ended. What is counted is the same.
func TestAnEndBeforeTheResponseIsFinished(t *testing.T) {
	t.Parallel()
	finish := func(c *conn) { c.finish(1) }
	close := func(c *conn) { c.Close() }
	read := func(c *conn) { c.ended(&c.unread) }
	write := func(c *conn) { c.ended(&c.unwritten) }
	type counts struct{ closed, dropped uint64 }
	for name, tt := range map[string]struct {
		steps []func(*conn)
		want  counts
	}{
		"finished first":                {[]func(*conn){finish, read, close}, counts{closed: 1}},
		"finished between":              {[]func(*conn){read, finish, close}, counts{closed: 1}},
		"finished last":                 {[]func(*conn){read, close, finish}, counts{closed: 1}},
		"one too many":                  {[]func(*conn){finish, close}, counts{dropped: 1}},
		"one too many, finished last":   {[]func(*conn){close, finish}, counts{dropped: 1}},
		"refused body, finished first":  {[]func(*conn){write, finish, close}, counts{}},
		"refused body, finished last":   {[]func(*conn){write, close, finish}, counts{}},
		"its end was read, too":         {[]func(*conn){write, read, finish, close}, counts{}},
		"net/http closed it, then read": {[]func(*conn){close, read, finish}, counts{dropped: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rt, err := New(Options{})
			require.NoError(t, err)
			near, far := net.Pipe()
			defer far.Close()
			c := newConn(near, rt, "example.com:80")
			c.host.Store(rt.host(hostKey{"http", "example.com"}))
			c.pick(false, true)
			c.came()
			for _, step := range tt.steps {
				step(c)
			}
			s := rt.Stats()
			assert.Equal(t, tt.want, counts{s.PeerClosed, s.Dropped})
		})
	}
}
