//go:build linux

package listener_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// What somebody overwrites after accept is heard of, also where the Config asked
// for nothing; what nobody touches is not.
func TestVerifyAfter(t *testing.T) {
	t.Parallel()
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
		"as package net does": {asked, func(t *testing.T, c net.Conn) {
			require.NoError(t, c.(*net.TCPConn).SetKeepAliveConfig(net.KeepAliveConfig{Enable: true}))
		}, []platform.Option{platform.Interval, platform.Count, platform.Idle}},
		"switched off": {asked, func(t *testing.T, c net.Conn) {
			require.NoError(t, c.(*net.TCPConn).SetKeepAlive(false))
		}, []platform.Option{platform.KeepAlive}},
		"closed before": {asked, func(t *testing.T, c net.Conn) { setUserTimeout(t, c); c.Close() }, nil},
	} {
		heard := make(chan report, 2)
		lc := listener.ListenConfig{Config: row.config, VerifyAfter: time.Second,
			OnError: func(c net.Conn, err error) { heard <- report{c, err} }}
		l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
		c := accept(t, l, false)
		row.overwrite(t, c)
		marker := accept(t, l, false) // its timer is started later
		setUserTimeout(t, marker)
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

func TestVerifyAfterLeavesUnixAlone(t *testing.T) {
	t.Parallel()
	lc := listener.ListenConfig{VerifyAfter: time.Nanosecond, OnError: func(_ net.Conn, err error) { t.Error(err) }}
	l, err := net.Listen("unix", t.TempDir()+"/s")
	wrapped := opened(t)(lc.Wrap(opened(t)(l, err)))
	accept(t, wrapped, false)
}

// A pinned connection keeps its options, and still is one that can be verified.
func TestVerifyAfterPinned(t *testing.T) {
	t.Parallel()
	heard := make(chan error, 1)
	lc := listener.ListenConfig{Config: asked, Pin: true, VerifyAfter: 500 * time.Millisecond, OnError: func(_ net.Conn, err error) { heard <- err }}
	l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
	c := accept(t, l, false)
	require.ErrorIs(t, c.(interface{ SetKeepAlive(bool) error }).SetKeepAlive(false), sockopt.ErrPinned)
	require.NoError(t, sockopt.Verify(c, asked))
	require.NoError(t, sockopt.Set(c, sockopt.Config{Count: 7})) // the owner himself
	require.ErrorContains(t, <-heard, "TCP_KEEPCNT: asked for 3, the kernel holds 7")
	assert.ErrorContains(t, sockopt.Verify(c, asked), "TCP_KEEPCNT: asked for 3, the kernel holds 7")
}

func setUserTimeout(t *testing.T, c net.Conn) {
	t.Helper()
	require.NoError(t, rawConn(t, c).Control(func(fd uintptr) {
		assert.NoError(t, syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, 18, 20000))
	}))
}

// mismatches takes a joined error apart.
func mismatches(err error) (found []*sockopt.MismatchError) {
	switch e := err.(type) {
	case *sockopt.MismatchError:
		return []*sockopt.MismatchError{e}
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			found = append(found, mismatches(err)...)
		}
	case interface{ Unwrap() error }:
		return mismatches(e.Unwrap())
	}
	return found
}
