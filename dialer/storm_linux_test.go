package dialer_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// drain accepts and closes until the listener is closed.
func drain(t testing.TB, l net.Listener) (stop func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		var open []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			open = append(open, c)
			if len(open) > 500 {
				open[0].Close()
				open = open[1:]
			}
		}
		for _, c := range open {
			c.Close()
		}
	})
	return func() {
		l.Close()
		wg.Wait()
	}
}

// listenBesideIPv6 listens on 127.0.0.1, where on the same port ::1 hangs or has
// nobody. A port that is free in one family may be taken in the other: then it
// tries another.
func listenBesideIPv6(t *testing.T, hanging bool) net.Listener {
	t.Helper()
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	var err error
	for range 20 {
		port := "0"
		if hanging {
			address, _ := blackhole(t, unix.AF_INET6)
			_, port, _ = net.SplitHostPort(address)
		}
		var l net.Listener
		if l, err = lc.Listen(context.Background(), "tcp4", "127.0.0.1:"+port); err == nil {
			return l
		}
	}
	require.NoError(t, err)
	return nil
}

// Not parallel: it counts descriptors and goroutines.
func TestHappyEyeballsStorm(t *testing.T) {
	testkit.NeedIPv6(t)
	for _, row := range []struct {
		rule             string
		hanging          bool // ::1 does not answer; otherwise it refuses
		goroutines, each int
	}{
		{"IPv6 refused", false, 200, 10},
		{"IPv6 hanging", true, 100, 4},
	} {
		t.Run(row.rule, func(t *testing.T) {
			l := listenBesideIPv6(t, row.hanging)
			address := net.JoinHostPort("storm.test.", portOf(l))
			names := resolver(t)
			leaks := testkit.StartLeakCheck(t)
			stop := drain(t, l)

			var tried4, tried6 atomic.Int32
			d := dialer.Dialer{Config: asked, Base: net.Dialer{
				Resolver:      names,
				FallbackDelay: 20 * time.Millisecond,
				Timeout:       20 * time.Second,
				Control: func(network, _ string, _ syscall.RawConn) error {
					switch network {
					case "tcp4":
						tried4.Add(1)
					case "tcp6":
						tried6.Add(1)
					default:
						return errors.New("network " + network)
					}
					return nil
				},
			}}
			var wg sync.WaitGroup
			for range row.goroutines {
				wg.Go(func() {
					for range row.each {
						c, err := d.Dial("tcp", address)
						if !assert.NoError(t, err) {
							return
						}
						assert.Equal(t, askedValues, testkit.ReadAny(t, c))
						assert.True(t, c.RemoteAddr().(*net.TCPAddr).IP.IsLoopback())
						c.(*net.TCPConn).SetLinger(0) // no TIME_WAIT
						c.Close()
					}
				})
			}
			wg.Wait()
			stop()
			total := row.goroutines * row.each
			assert.GreaterOrEqual(t, int(tried4.Load()), total, "every dial ended at IPv4")
			// On a busy machine IPv4 may win before the other attempt has begun.
			assert.Greater(t, int(tried6.Load()), total*3/4, "dials try IPv6 first")
			leaks.End(t)
		})
	}
}
