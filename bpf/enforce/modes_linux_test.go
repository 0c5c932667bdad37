package enforce_test

import (
	"bytes"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/bpf/enforce"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// asked is what the program of these tests sets itself.
var asked = testkit.Values{KeepAlive: 0, Idle: 99, Interval: 3, Count: 9, UserTimeout: 1234}

func TestOverride(t *testing.T) {
	t.Parallel()
	if !inCgroup(t, func() enforce.Policy { return one(enforce.Rule{Config: config}) }) {
		return
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		// A program that asks for nothing.
		client, server := testkit.Pair(t, "tcp", address)
		assert.Equal(t, enforced, testkit.Read(t, client))
		assert.Equal(t, enforced, testkit.Read(t, server))
		// One that asks for something else before and after it is connected.
		client, server = pair(t, address, func(fd int) { require.NoError(t, testkit.SetOptions(fd, asked)) })
		assert.Equal(t, enforced, testkit.Read(t, client))
		require.NoError(t, set(t, server, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 77))
		require.NoError(t, set(t, server, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0))
		require.NoError(t, set(t, server, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 1))
		assert.Equal(t, enforced, testkit.Read(t, server))
	}
	// In another network namespace, too.
	testkit.InNamespace(t, func() {
		client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		assert.Equal(t, enforced, testkit.Read(t, client))
		assert.Equal(t, enforced, testkit.Read(t, server))
	})
	// Package net sets 15, 15, 9.
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	assert.Equal(t, enforced, testkit.ReadAny(t, c))
	assert.Equal(t, enforced, testkit.ReadAny(t, testkit.Accept(t, l, c)))

	// What the kernel refuses, it still refuses.
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	for _, wrong := range []int{0, -1, 32768, 100000} {
		assert.ErrorIs(t, set(t, client, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, wrong), unix.EINVAL, "%d", wrong)
	}
	assert.ErrorIs(t, set(t, client, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 128), unix.EINVAL)
	assert.ErrorIs(t, set(t, client, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, -5), unix.EINVAL)
	assert.NoError(t, set(t, client, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		assert.NoError(t, unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno"+string(bytes.Repeat([]byte{0}, 8192))), "longer than a page")
		long := append([]byte{80, 0, 0, 0}, make([]byte, 8188)...)
		assert.NoError(t, unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, string(long)))
		assert.ErrorIs(t, unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, "x"), unix.EINVAL, "shorter than an int")
	}))
	assert.Equal(t, enforced, testkit.Read(t, client))
	udp, err := net.Dial("udp", "127.0.0.1:9")
	require.NoError(t, err)
	defer udp.Close()
	assert.NoError(t, set(t, udp.(*net.UDPConn), unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1), "no TCP")
}

func TestOverrideSwitchesOff(t *testing.T) {
	t.Parallel()
	if !inCgroup(t, func() enforce.Policy {
		return one(enforce.Rule{Config: sockopt.Config{Disabled: true, Idle: time.Minute}})
	}) {
		return
	}
	want := testkit.Untouched()
	want.Idle = 60
	client, server := pair(t, "127.0.0.1:0", func(fd int) {
		require.NoError(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
	})
	require.NoError(t, set(t, server, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
	assert.Equal(t, want, testkit.Read(t, client))
	assert.Equal(t, want, testkit.Read(t, server))
}

func TestDefault(t *testing.T) {
	t.Parallel()
	if !inCgroup(t, func() enforce.Policy { return one(enforce.Rule{Mode: enforce.Default, Config: config}) }) {
		return
	}
	client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
	assert.Equal(t, enforced, testkit.Read(t, client))
	assert.Equal(t, enforced, testkit.Read(t, server))
	client, _ = pair(t, "[::1]:0", func(fd int) { require.NoError(t, testkit.SetOptions(fd, asked)) })
	assert.Equal(t, asked, testkit.Read(t, client), "the program's own values stay")
	// Each option on its own.
	client, server = pair(t, "127.0.0.1:0", func(fd int) {
		require.NoError(t, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 99))
	})
	want := enforced
	want.Idle = 99
	assert.Equal(t, want, testkit.Read(t, client))
	require.NoError(t, set(t, server, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 8))
	want = enforced
	want.Count = 8
	assert.Equal(t, want, testkit.Read(t, server), "set after accept")

	// An accepted socket has what was set on its listener.
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	require.NoError(t, testkit.SetOptions(fd, asked))
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(fd, 1))
	defer unix.Close(fd)
	address, err := unix.Getsockname(fd)
	require.NoError(t, err)
	c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", address.(*unix.SockaddrInet4).Port))
	require.NoError(t, err)
	defer c.Close()
	nfd, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
	require.NoError(t, err)
	defer unix.Close(nfd)
	idle, err := unix.GetsockoptInt(nfd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
	require.NoError(t, err)
	assert.Equal(t, asked.Idle, idle)
	on, err := unix.GetsockoptInt(nfd, unix.SOL_SOCKET, unix.SO_KEEPALIVE)
	require.NoError(t, err)
	assert.Zero(t, on)
}

func TestClamp(t *testing.T) {
	t.Parallel()
	least := sockopt.Config{Idle: 20 * time.Second, Count: 3, UserTimeout: 10 * time.Second}
	if !inCgroup(t, func() enforce.Policy {
		return enforce.Policy{Rules: []enforce.Rule{
			{Name: "far", Peer: "127.0.0.2", Mode: enforce.Clamp, Config: sockopt.Config{Idle: 40 * time.Second}},
			{Mode: enforce.Clamp, Config: config, Least: least},
		}}
	}) {
		return
	}
	client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
	assert.Equal(t, enforced, testkit.Read(t, client), "one that asks for nothing gets the most")
	for _, tt := range []struct{ level, option, ask, want int }{
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 30, 30},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 52, 51},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 32767, 51},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 19, 20},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 1, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 7, 6},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 1, 3},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 5, 4},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 0, 45000},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 45001, 45000},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 30000, 30000},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 1, 10000},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0, 1},
	} {
		for _, c := range []*net.TCPConn{client, server} {
			require.NoError(t, set(t, c, tt.level, tt.option, tt.ask))
			rc, err := c.SyscallConn()
			require.NoError(t, err)
			require.NoError(t, rc.Control(func(fd uintptr) {
				got, err := unix.GetsockoptInt(int(fd), tt.level, tt.option)
				assert.NoError(t, err)
				assert.Equal(t, tt.want, got, "%+v", tt)
			}))
		}
	}
	// Before it is connected, the peer is not known: what was permitted is judged again.
	client, _ = pair(t, "127.0.0.2:0", func(fd int) {
		require.NoError(t, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 50))
		require.NoError(t, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 5))
	})
	got := testkit.Read(t, client)
	assert.Equal(t, 40, got.Idle)
	assert.Equal(t, 5, got.Interval)
}

func TestRules(t *testing.T) {
	t.Parallel()
	idle := func(s int) sockopt.Config { return sockopt.Config{Idle: time.Duration(s) * time.Second} }
	if !inCgroup(t, func() enforce.Policy {
		return enforce.Policy{Rules: []enforce.Rule{
			{Peer: "127.0.0.9", Mode: enforce.Leave},
			{Peer: ":1-9", Config: idle(302)},
			{Local: "127.0.0.8:1-9", Config: idle(303)},
			{Peer: "127.0.0.8/31", Config: idle(308)},
			{Peer: "[::1]:1-65535", Config: idle(301)},
			{Local: "127.0.0.7:1-65535", Config: idle(307)},
			{Command: "never", Config: idle(300)},
			{Command: commandOf(t), Config: idle(309)},
		}}
	}) {
		return
	}
	for address, want := range map[string]int{"127.0.0.9:0": testkit.Untouched().Idle, "127.0.0.8:0": 308, "[::1]:0": 301, "127.0.0.1:0": 309} {
		client, _ := testkit.Pair(t, "tcp", address)
		assert.Equal(t, want, testkit.Read(t, client).Idle, address)
		require.NoError(t, set(t, client, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 44))
		if want == testkit.Untouched().Idle {
			want = 44
		}
		assert.Equal(t, want, testkit.Read(t, client).Idle, address)
	}
	_, server := testkit.Pair(t, "tcp", "127.0.0.7:0")
	assert.Equal(t, 307, testkit.Read(t, server).Idle)
	client, _ := testkit.Pair(t, "tcp", testkit.Mapped)
	assert.Equal(t, 309, testkit.Read(t, client).Idle)
}

// commandOf is the name of the child's threads, which run /proc/self/exe.
func commandOf(t *testing.T) string {
	return "exe"
}

func TestMultipath(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	if !inCgroup(t, func() enforce.Policy { return one(enforce.Rule{Config: config}) }) {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // Multipath TCP, by default
	require.NoError(t, err)
	defer l.Close()
	var d net.Dialer
	d.SetMultipathTCP(true)
	c, err := d.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	assert.Equal(t, 51, testkit.ReadAny(t, c).Idle, "package net asked for 15")
	// A client of plain TCP gets a plain socket from the same listener.
	client, err := (&net.Dialer{KeepAlive: -1}).Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	assert.Equal(t, enforced, testkit.ReadAny(t, testkit.Accept(t, l, client)))
}
