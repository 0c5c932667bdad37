package listener_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// These tests hold package net to the behaviour that this package is built on.
// If one fails, a Go release has changed it: see newTCPConn in net/tcpsock.go
// and listenMPTCP in net/mptcpsock_linux.go.

// Every row's hook sets all options and returns nothing but an error of
// listening itself; KeepAlive is -1.
func TestStdlibMultipathMatrix(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	for rule, row := range map[string]struct {
		listener, client bool // Multipath TCP
		protocol         int
		userTimeout      int
	}{
		"plain listener, plain client: inherited with the user timeout":                      {false, false, unix.IPPROTO_TCP, 44444},
		"plain listener, Multipath client: the client falls back":                            {false, true, unix.IPPROTO_TCP, 44444},
		"Multipath listener, plain client: a plain socket, inherited without a user timeout": {true, false, unix.IPPROTO_TCP, 0},
		"Multipath listener, Multipath client: inherited, no user timeout exists":            {true, true, unix.IPPROTO_MPTCP, -1},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			lc := net.ListenConfig{KeepAlive: -1, Control: func(network, address string, c syscall.RawConn) error {
				_ = setAsked(network, address, c) // the last option is the user timeout
				return nil
			}}
			lc.SetMultipathTCP(row.listener)
			l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
			c := accept(t, l, row.client)
			want := askedValues
			want.UserTimeout = row.userTimeout
			assert.Equal(t, row.protocol, protocolOf(t, c))
			assert.Equal(t, want, testkit.ReadAny(t, c))
			err := setAsked("", "", rawConn(t, c))
			if row.protocol == unix.IPPROTO_MPTCP {
				assert.ErrorIs(t, err, unix.ENOPROTOOPT, "nor can it be set later")
			} else {
				assert.NoError(t, err, "it can be set later")
			}
		})
	}
}

func TestStdlibListenersAreMultipathByDefault(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	l := opened(t)(net.Listen("tcp", "127.0.0.1:0"))
	assert.Equal(t, unix.IPPROTO_MPTCP, protocolOf(t, l))
}

func TestStdlibMultipathHookErrorFallsBackInSilence(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	var protocols []int
	lc := net.ListenConfig{KeepAlive: -1, Control: func(network, address string, c syscall.RawConn) error {
		c.Control(func(fd uintptr) {
			protocol, _ := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL)
			protocols = append(protocols, protocol)
		})
		return setAsked(network, address, c)
	}}
	l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
	assert.Equal(t, []int{unix.IPPROTO_MPTCP, unix.IPPROTO_TCP}, protocols, "the hook runs again, on a plain TCP socket")
	assert.Equal(t, unix.IPPROTO_TCP, protocolOf(t, l))
	assert.Equal(t, askedValues, testkit.ReadAny(t, accept(t, l, false)))
}

// An option of a live listening socket is for handshakes after it.
func TestLinuxInheritsAtTheHandshake(t *testing.T) {
	t.Parallel()
	l := bare(t, "tcp4", "127.0.0.1:0")
	d := net.Dialer{KeepAlive: -1}
	before, err := d.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	testkit.Closing(t, before)
	require.NoError(t, setAsked("", "", rawConn(t, l)))
	queued := testkit.Accept(t, l, before)
	assert.Equal(t, testkit.Untouched(), testkit.ReadAny(t, queued), "it was in the queue already")
	assert.Equal(t, askedValues, testkit.ReadAny(t, accept(t, l, false)))
}

// What this kernel refuses, package net swallows.
func TestStdlibRefusalIsSwallowed(t *testing.T) {
	t.Parallel()
	lc := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Hour, Interval: 5 * time.Second, Count: 4}}
	l := opened(t)(lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
	assert.Equal(t, testkit.SwitchedOn(), testkit.ReadAny(t, accept(t, l, false)), "interval and count are skipped")
}
