package dialer_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// blackhole returns an address on loopback that does not answer a SYN: a
// listening socket whose accept queue is full (net/ipv4/tcp_input.c,
// tcp_conn_request). release empties the queue, so that it answers again.
func blackhole(t testing.TB, family int) (address string, release func()) {
	t.Helper()
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	if family == unix.AF_INET6 {
		require.NoError(t, unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1))
		require.NoError(t, unix.Bind(fd, &unix.SockaddrInet6{Addr: [16]byte{15: 1}}))
	} else {
		require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	}
	require.NoError(t, unix.Listen(fd, 0))
	name, err := unix.Getsockname(fd)
	require.NoError(t, err)
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		address = fmt.Sprintf("127.0.0.1:%d", name.Port)
	case *unix.SockaddrInet6:
		address = fmt.Sprintf("[::1]:%d", name.Port)
	}
	// A backlog of n takes n+1 connections.
	fill := net.Dialer{KeepAlive: -1, Timeout: 5 * time.Second}
	c, err := fill.Dial("tcp", address)
	require.NoError(t, err)
	testkit.Closing(t, c)
	probe := net.Dialer{KeepAlive: -1, Timeout: 100 * time.Millisecond}
	extra, err := probe.Dial("tcp", address)
	if err == nil {
		extra.Close()
	}
	testkit.Need(t, err != nil, "needs a kernel that drops a SYN for a full accept queue")
	return address, func() {
		accepted, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		require.NoError(t, err)
		unix.Close(accepted)
	}
}

// The handshake of a peer that does not answer ends with Base.Timeout, or with
// the user timeout where that was set before connecting. The kernel clamps the
// SYN's retransmission to it, the first of which is due after 1 s
// (tcp_clamp_rto_to_user_timeout in net/ipv4/tcp_timer.c).
func TestUserTimeoutAndTheHandshake(t *testing.T) {
	t.Parallel()
	const given = 2500 * time.Millisecond
	for rule, row := range map[string]struct {
		before      bool
		userTimeout time.Duration
		kernel      bool // the kernel gives up (ETIMEDOUT), not Go's deadline
		least, most time.Duration
	}{
		"by default it does not cut connect short":      {false, 1200 * time.Millisecond, false, given, 3900 * time.Millisecond},
		"before connect it ends connect":                {true, 1400 * time.Millisecond, true, 1400 * time.Millisecond, 2400 * time.Millisecond},
		"before connect, but not before a second is up": {true, 200 * time.Millisecond, true, time.Second, 2 * time.Second},
		"before connect, longer than Base.Timeout":      {true, 20 * time.Second, false, given, 3900 * time.Millisecond},
		"before connect, none asked for":                {true, 0, false, given, 3900 * time.Millisecond},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			address, _ := blackhole(t, unix.AF_INET)
			d := dialer.Dialer{
				Base:                     net.Dialer{Timeout: given},
				Config:                   sockopt.Config{UserTimeout: row.userTimeout},
				UserTimeoutBeforeConnect: row.before,
			}
			start := time.Now()
			c, err := d.Dial("tcp", address)
			took := time.Since(start)
			assert.Nil(t, c)
			var timeout net.Error
			require.ErrorAs(t, err, &timeout)
			assert.True(t, timeout.Timeout(), err)
			assert.Equal(t, row.kernel, errors.Is(err, unix.ETIMEDOUT), err)
			assert.GreaterOrEqual(t, took, row.least)
			assert.Less(t, took, row.most)
			assert.Equal(t, sockopt.DialFailed, sockopt.CauseOf(err), "neither is the death of a peer")
		})
	}
}

// A peer that answers late, after more than the user timeout, still gets a
// connection, and that has the user timeout.
func TestSlowHandshakeSucceeds(t *testing.T) {
	t.Parallel()
	address, release := blackhole(t, unix.AF_INET)
	cfg := asked
	cfg.UserTimeout = 500 * time.Millisecond
	d := dialer.Dialer{Config: cfg, Base: net.Dialer{Timeout: 10 * time.Second}}
	start := time.Now()
	// The first SYN is dropped, the one of 1 s later is answered.
	timer := time.AfterFunc(700*time.Millisecond, release)
	defer timer.Stop()
	c, err := d.Dial("tcp", address)
	require.NoError(t, err)
	testkit.Closing(t, c)
	assert.Greater(t, time.Since(start), cfg.UserTimeout)
	assert.Equal(t, testkit.Values{KeepAlive: 1, Idle: 111, Interval: 22, Count: 3, UserTimeout: 500}, testkit.ReadAny(t, c))
}

func TestContext(t *testing.T) {
	t.Parallel()
	address, _ := blackhole(t, unix.AF_INET)
	d := dialer.Dialer{Config: asked}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := d.DialContext(ctx, "tcp", address)
	require.Error(t, err)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
}
