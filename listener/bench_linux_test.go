package listener_test

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// perRound connections wait in the accept queue when a round starts, so that
// only Accept is measured; the queue holds net.core.somaxconn (4096).
const perRound = 500

// BenchmarkAcceptCPU compares the thread's CPU time of Accept: ours with every
// option inherited, and net.Listen, which sets 15 s, 15 s, 9.
//
//	go test ./listener -run xxx -bench AcceptCPU -benchtime 100x
func BenchmarkAcceptCPU(b *testing.B) {
	for name, cfg := range map[string]sockopt.Config{
		"inherit": sockopt.Recommended(),
		"unset":   {},
	} {
		b.Run(name, func(b *testing.B) {
			lc := listener.ListenConfig{Config: cfg}
			ours := listen(b, func() (net.Listener, error) { return lc.Listen(context.Background(), "tcp", "127.0.0.1:0") })
			theirs := listen(b, func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") })
			compareAccept(b, ours, theirs)
		})
	}
	b.Run("wrap", func(b *testing.B) { // what cannot be inherited: set again after accept
		ours := listen(b, func() (net.Listener, error) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(b, err)
			lc := listener.ListenConfig{Config: sockopt.Recommended(), WithoutReadBack: true}
			return lc.Wrap(l)
		})
		theirs := listen(b, func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") })
		compareAccept(b, ours, theirs)
	})
}

func listen(b *testing.B, f func() (net.Listener, error)) net.Listener {
	l, err := f()
	require.NoError(b, err)
	b.Cleanup(func() { l.Close() })
	return l
}

func compareAccept(b *testing.B, ours, theirs net.Listener) {
	var c testkit.Comparison
	for b.Loop() {
		c.Round(func() float64 { return acceptCPU(b, ours) }, func() float64 { return acceptCPU(b, theirs) })
	}
	c.Report(b)
}

// acceptCPU fills the queue, and returns the CPU time of emptying it, for each
// connection.
func acceptCPU(b *testing.B, l net.Listener) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	d := net.Dialer{KeepAlive: -1}
	conns := make([]net.Conn, 0, 2*perRound)
	for range perRound {
		c, err := d.Dial("tcp", l.Addr().String())
		require.NoError(b, err)
		conns = append(conns, c)
	}
	start := threadCPU(b)
	for range perRound {
		c, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, c)
	}
	spent := threadCPU(b) - start
	for _, c := range conns {
		c.(*net.TCPConn).SetLinger(0) // no TIME_WAIT
		c.Close()
	}
	return float64(spent) / perRound
}

func threadCPU(b *testing.B) time.Duration {
	var ts unix.Timespec
	require.NoError(b, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts))
	return time.Duration(ts.Nano())
}
