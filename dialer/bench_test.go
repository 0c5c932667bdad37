package dialer_test

import (
	"context"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// timing is a Config without a user timeout, all of which is set before connect.
func timing() sockopt.Config {
	return sockopt.Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}
}

// dialsPerRound stay in the accept queue, so that only dialing is measured.
const dialsPerRound = 200

type dialFunc func(network, address string) (net.Conn, error)

// BenchmarkDial compares wall time with a default net.Dialer, which sets its
// four options after connect.
//
//	go test ./dialer -run xxx -bench Dial -benchtime 100x
func BenchmarkDial(b *testing.B) {
	fast := &dialer.Dialer{Config: timing(), WithoutReadBack: true}
	sure := &dialer.Dialer{Config: timing()}
	fastUT := &dialer.Dialer{Config: sockopt.Recommended(), WithoutReadBack: true}
	sureUT := &dialer.Dialer{Config: sockopt.Recommended()}
	var std net.Dialer
	for _, row := range []struct {
		name string
		dial dialFunc
	}{
		{"without-read-back", fast.Dial},
		{"read-back", sure.Dial},
		{"user-timeout/without-read-back", fastUT.Dial},
		{"user-timeout/read-back", sureUT.Dial},
	} {
		b.Run(row.name, func(b *testing.B) {
			var c testkit.Comparison
			for b.Loop() {
				c.Round(func() float64 { return dialWall(b, row.dial) }, func() float64 { return dialWall(b, std.Dial) })
			}
			c.Report(b)
		})
	}
}

func dialWall(b testing.TB, dial dialFunc) float64 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	address := l.Addr().String()
	conns := make([]net.Conn, 0, dialsPerRound)
	start := time.Now()
	for range dialsPerRound {
		c, err := dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, c)
	}
	spent := time.Since(start)
	for _, c := range conns {
		c.(*net.TCPConn).SetLinger(0) // no TIME_WAIT
		c.Close()
	}
	l.Close()
	return float64(spent) / dialsPerRound
}

// BenchmarkDialAllocs counts what a dial allocates, next to net.Dialer with a
// hook that does nothing: package net allocates for having one.
func BenchmarkDialAllocs(b *testing.B) {
	fast := &dialer.Dialer{Config: timing(), WithoutReadBack: true}
	sure := &dialer.Dialer{Config: sockopt.Recommended()}
	nothing := net.Dialer{KeepAlive: -1, ControlContext: func(context.Context, string, string, syscall.RawConn) error { return nil }}
	nothingOld := net.Dialer{KeepAlive: -1, Control: func(string, string, syscall.RawConn) error { return nil }}
	var std net.Dialer
	for _, row := range []struct {
		name string
		dial dialFunc
	}{
		{"net.Dialer", std.Dial},
		{"net.Dialer-empty-ControlContext", nothing.Dial},
		{"net.Dialer-empty-Control", nothingOld.Dial},
		{"ours/without-read-back", fast.Dial},
		{"ours/user-timeout/read-back", sure.Dial},
	} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				_ = dialWall(b, row.dial)
			}
			b.ReportMetric(dialAllocs(b, row.dial), "allocs/dial")
		})
	}
}

// dialAllocs returns the allocations of one dial.
func dialAllocs(b testing.TB, dial dialFunc) float64 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	address := l.Addr().String()
	conns := make([]net.Conn, 0, dialsPerRound)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range dialsPerRound {
		c, err := dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, c)
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / dialsPerRound
}
