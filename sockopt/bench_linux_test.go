package sockopt_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// readsPerRound is long enough for the clock and short enough for many rounds.
const readsPerRound = 2000

func perRead(f func()) float64 {
	start := time.Now()
	for range readsPerRound {
		f()
	}
	return float64(time.Since(start)) / readsPerRound
}

var fiveOptions = [...][2]int{
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}, {unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE}, {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
	{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT},
}

// BenchmarkReadBack compares with as many bare getsockopt calls on the
// descriptor, which is the least that any program can do.
//
//	go test ./sockopt -run xxx -bench ReadBack -benchtime 200x -benchmem
func BenchmarkReadBack(b *testing.B) {
	client, _ := testkit.Pair(b, "tcp", "127.0.0.1:0")
	require.NoError(b, sockopt.Set(client, sockopt.Recommended()))
	raw, err := socket.RawConn(client)
	require.NoError(b, err)
	setter, err := socket.OS{}.NewSetter(kernel.Request(sockopt.Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}))
	require.NoError(b, err)
	four := setter.SetsOnly(0)
	for _, row := range []struct {
		name    string
		options int
		read    func() error
	}{
		{"four-options/connection", 4, func() error { return four.Set(client) }},
		{"five-options/connection", 5, func() error { _, err := sockopt.Get(client); return err }},
		{"five-options/raw", 5, func() error { _, err := sockopt.Get(raw); return err }},
	} {
		b.Run(row.name, func(b *testing.B) {
			require.NoError(b, row.read())
			ours := func() { _ = row.read() }
			onDescriptor(b, client, func(fd int) {
				bare := func() {
					for _, o := range fiveOptions[:row.options] {
						_, _ = unix.GetsockoptInt(fd, o[0], o[1])
					}
				}
				var c testkit.Comparison
				for b.Loop() {
					c.Round(func() float64 { return perRead(ours) }, func() float64 { return perRead(bare) })
				}
				c.Report(b)
				b.ReportMetric(testing.AllocsPerRun(100, ours), "allocs/read")
			})
		})
	}
}

// BenchmarkSet compares with package net's SetKeepAliveConfig, which sets four
// options and reads none back.
func BenchmarkSet(b *testing.B) {
	client, _ := testkit.Pair(b, "tcp", "127.0.0.1:0")
	cfg := sockopt.Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}
	setter, err := socket.OS{}.NewSetter(kernel.Request(cfg))
	require.NoError(b, err)
	fast := setter.WithoutReadBack()
	std := net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}
	theirs := func() { _ = client.SetKeepAliveConfig(std) }
	for _, row := range []struct {
		name string
		set  func() error
	}{
		{"setter/without-read-back", func() error { return fast.Set(client) }},
		{"setter/read-back", func() error { return setter.Set(client) }},
		{"function/read-back", func() error { return sockopt.Set(client, cfg) }},
	} {
		b.Run(row.name, func(b *testing.B) {
			require.NoError(b, row.set())
			ours := func() { _ = row.set() }
			var c testkit.Comparison
			for b.Loop() {
				c.Round(func() float64 { return perRead(ours) }, func() float64 { return perRead(theirs) })
			}
			c.Report(b)
			b.ReportMetric(testing.AllocsPerRun(100, ours), "allocs/set")
		})
	}
}

func onDescriptor(b *testing.B, c *net.TCPConn, f func(fd int)) {
	rc, err := c.SyscallConn()
	require.NoError(b, err)
	require.NoError(b, rc.Control(func(fd uintptr) { f(int(fd)) }))
}
