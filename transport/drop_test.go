package transport

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// What ends the Read of net/http does not end that of a witness, if net/http closes the
// connection by itself just before.
func TestTheDropDoesNotEndTheWitness(t *testing.T) {
	t.Parallel()
	const figure, later = 10 * time.Second, 60 * time.Second
	rt, err := New(Options{})
	require.NoError(t, err)
	rt.doubtAfter = 1
	h := rt.host(hostKey{"http", "example.com"})
	s := &h.silent
	s.observe(h, figure)
	s.settle(h)
	time.Sleep(time.Millisecond)
	near, far := net.Pipe()
	below := &deadlines{Conn: near, set: make(chan time.Time, 2), reads: make(chan struct{}, 1)}
	c := newConn(below, rt, "example.com:80")
	c.host.Store(h)
	c.read.Store(now() - int64(rt.before(figure)))
	c.wall.Store(ahead(time.Now()))
	c.state.Store(state(1, over)) // drop has moved it
	c.volunteer()
	require.NotNil(t, c.witness)
	c.Close() // of CloseIdleConnections, for instance
	until := <-below.set
	assert.Greater(t, time.Until(until), time.Minute)
	<-below.reads
	c.end() // the last step of drop

	select {
	case until := <-below.set:
		assert.Fail(t, "the deadline of the witness was changed", "%s", until)
		testkit.Until(t, "the witness has ended", func() bool { return s.witnesses() == 0 })
	default:
		assert.Equal(t, 1, s.witnesses(), "it goes on")
	}
	assert.Equal(t, figure, s.shortest())
	c.read.Store(now() - int64(later))
	far.Close()
	testkit.Until(t, "the witness has ended", func() bool { return s.witnesses() == 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.Equal(t, 1, s.later, "it has shown that its server waits for longer")
	assert.Equal(t, figure, s.shortest())
}

// A connection that became no witness, as something was written on it meanwhile, is ended
// nevertheless: net/http has not closed it.
func TestTheDropEndsWhatIsNoWitness(t *testing.T) {
	t.Parallel()
	rt, err := New(Options{})
	require.NoError(t, err)
	rt.doubtAfter = 1
	h := rt.host(hostKey{"https", "example.com"})
	h.silent.observe(h, time.Second)
	time.Sleep(time.Millisecond)
	near, far := net.Pipe()
	go io.Copy(io.Discard, far)
	defer far.Close()
	below := &deadlines{Conn: near, set: make(chan time.Time, 2), reads: make(chan struct{}, 1)}
	c := newConn(below, rt, "example.com:443")
	c.kind.Store(notHTTP1)
	c.host.Store(h)
	c.state.Store(state(1, over))
	_, err = c.Write([]byte("a PING"))
	require.NoError(t, err)
	c.volunteer()
	require.Nil(t, c.witness)
	c.end()
	require.NotEmpty(t, below.set)
	assert.True(t, (<-below.set).Before(time.Now()))
}

// deadlines is a connection that tells which deadlines are set, and when a Read begins.
type deadlines struct {
	net.Conn
	set   chan time.Time
	reads chan struct{}
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	err := d.Conn.SetReadDeadline(at)
	d.set <- at
	return err
}

func (d *deadlines) Read(b []byte) (int, error) {
	d.reads <- struct{}{}
	return d.Conn.Read(b)
}

// witnesses returns how many there are.
func (s *sightings) witnesses() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.watched)
}
