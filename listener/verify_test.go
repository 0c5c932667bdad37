package listener_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/configtest"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// OnError receives each option that was overwritten after accept, even one that the Config
// left unset. It receives none that was not touched.
func TestVerifyAfter(t *testing.T) {
	t.Parallel()
	testkit.NeedReadable(t, platform.Idle, platform.Interval, platform.Count)
	type report struct {
		conn net.Conn
		err  error
	}
	var wait []func()
	for rule, row := range map[string]struct {
		config    sockopt.Config
		overwrite func(t *testing.T, c net.Conn)
		want      []platform.Option
	}{
		"nobody touches it":        {asked, func(*testing.T, net.Conn) {}, nil},
		"as grpc-go does":          {asked, setUserTimeout, []platform.Option{platform.UserTimeout}},
		"what was left unset":      {askedEarly, setUserTimeout, []platform.Option{platform.UserTimeout}},
		"nothing was asked at all": {sockopt.Config{}, setUserTimeout, []platform.Option{platform.UserTimeout}},
		"an option of all systems": {asked, setCount, []platform.Option{platform.Count}},
		"as package net does": {asked, func(t *testing.T, c net.Conn) {
			require.NoError(t, c.(*net.TCPConn).SetKeepAliveConfig(net.KeepAliveConfig{Enable: true}))
		}, inOrder(platform.Interval, platform.Count, platform.Idle)},
		"switched off": {asked, func(t *testing.T, c net.Conn) {
			require.NoError(t, c.(*net.TCPConn).SetKeepAlive(false))
		}, []platform.Option{platform.KeepAlive}},
		"closed before": {asked, func(t *testing.T, c net.Conn) { setCount(t, c); c.Close() }, nil},
	} {
		if slices.Contains(row.want, platform.UserTimeout) && testkit.Lacks(platform.UserTimeout) != "" {
			continue
		}
		heard := make(chan report, 2)
		lc := listener.ListenConfig{Config: row.config, VerifyAfter: time.Second,
			OnError: func(c net.Conn, err error) { heard <- report{c, err} }}
		l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
		c := accept(t, l, false)
		row.overwrite(t, c)
		marker := accept(t, l, false) // its timer is started later
		setCount(t, marker)
		wait = append(wait, func() { // for all at once: each takes a second
			var got []platform.Option
			for markerSeen := false; !markerSeen || len(got) < len(row.want); {
				r := <-heard
				assert.ErrorContains(t, r.err, "overwritten within 1s of accept", rule)
				if r.conn == marker {
					markerSeen = true
					continue
				}
				assert.Equal(t, c, r.conn, rule)
				for _, m := range mismatches(r.err) {
					got = append(got, m.Option)
				}
			}
			assert.Equal(t, row.want, got, rule)
		})
	}
	for _, f := range wait {
		f()
	}
}

// inOrder sorts options as this system's table sets and reports them.
func inOrder(options ...platform.Option) (sorted []platform.Option) {
	for _, spec := range platform.Current().Specs {
		if slices.Contains(options, spec.Option) {
			sorted = append(sorted, spec.Option)
		}
	}
	return sorted
}

// A handing listener hides its socket and returns connections of any kind.
type handing struct {
	net.Listener
	conns chan net.Conn
}

func (h handing) Accept() (net.Conn, error) { return <-h.conns, nil }

// What verifies knows only when it meets it that a connection is not TCP. It rests on
// reports of one listener that come in the order of their connections, or 1 s apart.
func TestVerifyAfterLeavesUnixAlone(t *testing.T) {
	t.Parallel()
	testkit.NeedReadable(t, platform.Count)
	tcp := opened(t)(net.Listen("tcp4", "127.0.0.1:0"))
	local := opened(t)(net.Listen("unix", testkit.UnixPath(t)))
	handed := handing{tcp, make(chan net.Conn, 2)}
	overwritten, other := make(chan net.Conn, 2), make(chan error, 4)
	lc := listener.ListenConfig{Config: asked, VerifyAfter: time.Second, OnError: func(c net.Conn, err error) {
		if mismatches(err) != nil {
			overwritten <- c
			return
		}
		other <- err
	}}
	l, err := lc.Wrap(handed)
	require.NoError(t, err)
	for _, from := range []net.Listener{local, tcp} { // the second is the marker
		handed.conns <- accept(t, from, false)
		c, err := l.Accept()
		require.NoError(t, err)
		if from == tcp {
			setCount(t, c)
			assert.Equal(t, c, <-overwritten)
		} else {
			assert.ErrorIs(t, <-other, sockopt.ErrNotTCP, "of Accept, which cannot set anything")
		}
	}
	assert.Empty(t, other)
	assert.Empty(t, overwritten)

	lc = listener.ListenConfig{VerifyAfter: time.Nanosecond}
	same, err := lc.Wrap(local)
	require.NoError(t, err)
	assert.Same(t, local, same, "where the listener shows that it is not TCP, no connection is looked at")
}

// Of short connections few are kept until their time has come.
func TestVerifyAfterForgetsClosedConnections(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	for _, pin := range []bool{false, true} {
		lc := listener.ListenConfig{VerifyAfter: time.Hour, Pin: pin}
		l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
		open := accept(t, l, false)
		var short []weak.Pointer[net.TCPAddr] // which the connection holds
		for range 300 {
			client, err := net.Dial("tcp4", l.Addr().String())
			require.NoError(t, err)
			c, err := testkit.AcceptFrom(l, client)
			require.NoError(t, err)
			short = append(short, weak.Make(c.RemoteAddr().(*net.TCPAddr)))
			c.Close()
			client.Close()
		}
		testkit.Until(t, fmt.Sprintf("few of 300 closed connections are kept, pinned: %v", pin), func() bool {
			runtime.GC()
			kept := 0
			for _, p := range short {
				if p.Value() != nil {
					kept++
				}
			}
			return kept < 70
		})
		runtime.KeepAlive(open)
	}
}

// A stuckConn is a connection whose SyscallConn does not return while it is stuck.
type stuckConn struct {
	*net.TCPConn
	stuck chan struct{} // while it is not closed; nil if it never is
	calls atomic.Int32
}

func (c *stuckConn) SyscallConn() (syscall.RawConn, error) {
	if c.calls.Add(1); c.stuck != nil {
		<-c.stuck
	}
	return c.TCPConn.SyscallConn()
}

// While VerifyAfter looks for closed connections among all that wait, Accept goes on, even
// if a connection does not let itself be looked at.
func TestVerifyAfterDoesNotHoldAcceptUp(t *testing.T) {
	t.Parallel()
	testkit.NeedReadable(t, platform.Count)
	tcp := opened(t)(net.Listen("tcp4", "127.0.0.1:0"))
	handed := handing{tcp, make(chan net.Conn, 1)}
	lc := listener.ListenConfig{Config: asked, VerifyAfter: time.Hour}
	l, err := lc.Wrap(handed)
	require.NoError(t, err)
	accepted := make(chan struct{})
	next := func(c net.Conn) {
		t.Helper()
		handed.conns <- c
		go func() {
			_, err := l.Accept()
			assert.NoError(t, err)
			accepted <- struct{}{}
		}()
		select {
		case <-accepted:
		case <-time.After(10 * time.Second):
			t.Fatal("Accept is held up")
		}
	}
	c := &stuckConn{TCPConn: accept(t, tcp, false).(*net.TCPConn)}
	for range 63 {
		next(c)
	}
	c.stuck = make(chan struct{})
	defer close(c.stuck)
	before := c.calls.Load()
	for range 10 { // the first of which makes 64
		next(accept(t, tcp, false))
	}
	testkit.Until(t, "closed connections are looked for", func() bool { return c.calls.Load() > before })
}

// A pinned connection keeps its options, and still is one that can be verified.
func TestVerifyAfterPinned(t *testing.T) {
	t.Parallel()
	changed := sockopt.Config{Count: 7}
	configtest.Takes(t, changed)
	testkit.NeedReadable(t, platform.Count)
	heard := make(chan error, 1)
	lc := listener.ListenConfig{Config: asked, Pin: true, VerifyAfter: time.Second, OnError: func(_ net.Conn, err error) { heard <- err }}
	l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
	c := accept(t, l, false)
	require.ErrorIs(t, c.(interface{ SetKeepAlive(bool) error }).SetKeepAlive(false), sockopt.ErrPinned)
	require.NoError(t, sockopt.Verify(c, asked))
	require.NoError(t, sockopt.Set(c, changed)) // the owner of the connection
	require.ErrorContains(t, <-heard, configtest.Differing(platform.Count, 3, 7))
	assert.ErrorContains(t, sockopt.Verify(c, asked), configtest.Differing(platform.Count, 3, 7))
}

// mismatches takes a joined error apart.
func mismatches(err error) (found []*platform.MismatchError) {
	switch e := err.(type) {
	case *platform.MismatchError:
		return []*platform.MismatchError{e}
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			found = append(found, mismatches(err)...)
		}
	case interface{ Unwrap() error }:
		return mismatches(e.Unwrap())
	}
	return found
}

// setUserTimeout overwrites the user timeout, as grpc-go does.
func setUserTimeout(t *testing.T, c net.Conn) {
	t.Helper()
	v := testkit.Values{KeepAlive: -1, Idle: -1, Interval: -1, Count: -1, UserTimeout: 20000}
	require.NoError(t, setting(v)("", "", rawConn(t, c)))
}

// setCount overwrites another option than [setUserTimeout], which more systems have.
func setCount(t *testing.T, c net.Conn) {
	t.Helper()
	v := testkit.Values{KeepAlive: -1, Idle: -1, Interval: -1, Count: 4, UserTimeout: -1}
	require.NoError(t, setting(v)("", "", rawConn(t, c)))
}
