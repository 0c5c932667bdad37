package testkit

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Mapped is an address for Pair: an IPv4 client of a dual-stack listener. The
// server's socket is an IPv6 socket with IPv4-mapped addresses.
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
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn), Accept(t, l, c).(*net.TCPConn)
}

// Accept returns the other end of client, which is closed when the test ends.
func Accept(t testing.TB, l net.Listener, client net.Conn) net.Conn {
	t.Helper()
	server, err := AcceptFrom(l, client)
	require.NoError(t, err)
	return Closing(t, server)
}

// AcceptFrom returns the other end of client. Another test on this machine may
// still dial the port of l, which it used before; such connections are closed.
func AcceptFrom(l net.Listener, client net.Conn) (net.Conn, error) {
	for {
		server, err := l.Accept()
		if err != nil || sameAddress(server.RemoteAddr(), client.LocalAddr()) {
			return server, err
		}
		server.Close()
	}
}

// sameAddress reports whether the addresses are equal; an IPv4-mapped IPv6
// address equals its IPv4 address. The client of a Unix socket has no address.
func sameAddress(a, b net.Addr) bool {
	tcpA, okA := a.(*net.TCPAddr)
	tcpB, okB := b.(*net.TCPAddr)
	if !okA || !okB {
		return true
	}
	return tcpA.Port == tcpB.Port && tcpA.IP.Equal(tcpB.IP)
}

// Closing returns c, which is closed when the test ends.
func Closing[C net.Conn](t testing.TB, c C) C {
	t.Cleanup(func() { c.Close() })
	return c
}

// Until calls f until it returns true, for ten seconds at most. It calls f on
// the calling goroutine, which may be in another network namespace.
func Until(t testing.TB, why string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen within ten seconds: %s", why)
		}
	}
}
