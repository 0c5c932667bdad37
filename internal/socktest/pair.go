// Package socktest makes real connections for tests and reads their options
// with plain system calls, independently of the code under test.
package socktest

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Mapped is an address for Pair: an IPv4 client of a dual-stack listener, whose
// socket is one of IPv6 with IPv4-mapped addresses.
const Mapped = "mapped"

// Pair returns both ends of a connection over address ("127.0.0.1:0",
// "[::1]:0"), on which package net has set no keepalive option. Both are closed
// when the test ends.
func Pair(t testing.TB, network, address string) (client, server *net.TCPConn) {
	t.Helper()
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	dial := ""
	if address == Mapped {
		address, dial = ":0", "127.0.0.1"
	}
	l, err := lc.Listen(context.Background(), network, address)
	require.NoError(t, err)
	defer l.Close()
	d := net.Dialer{KeepAlive: -1}
	to := l.Addr().String()
	if dial != "" {
		to = net.JoinHostPort(dial, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	c, err := d.Dial(network, to)
	require.NoError(t, err)
	s, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		c.Close()
		s.Close()
	})
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// Closing returns c, which is closed when the test ends.
func Closing[C net.Conn](t testing.TB, c C) C {
	t.Cleanup(func() { c.Close() })
	return c
}

// Until calls f until it returns true, for ten seconds at most. It stays on the
// calling goroutine, which may be in a network namespace of its own.
func Until(t testing.TB, why string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen within ten seconds: %s", why)
		}
	}
}
