package inspect_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// perOp returns the mean time of many calls, in nanoseconds.
func perOp(b *testing.B, f func() error) func() float64 {
	const many = 2000
	return func() float64 {
		start := time.Now()
		for range many {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
		return float64(time.Since(start).Nanoseconds()) / many
	}
}

func compare(b *testing.B, ours, theirs func() error) {
	var c testkit.Comparison
	for b.Loop() {
		c.Round(perOp(b, ours), perOp(b, theirs))
	}
	c.Report(b)
}

func benchConn(b *testing.B) *net.TCPConn {
	client, _ := testkit.Pair(b, "tcp4", "127.0.0.1:0")
	if err := sockopt.Set(client, asked); err != nil {
		b.Fatal(err)
	}
	return client
}

// checkByPeek is what go-redis does before it hands a connection out: a recv of
// one byte with MSG_PEEK, under the connection's read lock.
func checkByPeek(conn syscall.Conn) error {
	rc, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = rc.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		switch {
		case n == 0 && err == nil:
			inner = errors.New("closed")
		case n > 0:
			inner = errors.New("unexpected data")
		case err != unix.EAGAIN:
			inner = err
		}
		return true
	})
	return errors.Join(err, inner)
}

// checkByRead is what go-sql-driver/mysql does: a read of one byte.
func checkByRead(conn syscall.Conn) error {
	rc, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = rc.Read(func(fd uintptr) bool {
		var b [1]byte
		n, err := unix.Read(int(fd), b[:])
		switch {
		case n == 0 && err == nil:
			inner = errors.New("closed")
		case n > 0:
			inner = errors.New("unexpected data")
		case err != unix.EAGAIN:
			inner = err
		}
		return true
	})
	return errors.Join(err, inner)
}

func BenchmarkAliveAndThePeekOfGoRedis(b *testing.B) {
	conn := benchConn(b)
	h, err := inspect.NewHandle(conn)
	if err != nil {
		b.Fatal(err)
	}
	compare(b, h.Alive, func() error { return checkByPeek(conn) })
}

func BenchmarkAliveAndTheReadOfMySQL(b *testing.B) {
	conn := benchConn(b)
	h, err := inspect.NewHandle(conn)
	if err != nil {
		b.Fatal(err)
	}
	compare(b, h.Alive, func() error { return checkByRead(conn) })
}

// BenchmarkReport has no counterpart: settings, activity and timer.
func BenchmarkReport(b *testing.B) {
	h, err := inspect.NewHandle(benchConn(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Report(); err != nil {
			b.Fatal(err)
		}
	}
}
