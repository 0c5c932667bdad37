//go:build linux

package dialer_test

import (
	"context"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// asked is a Config whose every value differs from Go's and the kernel's
// defaults; askedValues is what the kernel then holds.
var (
	asked       = sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3, UserTimeout: 44444 * time.Millisecond}
	askedEarly  = sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3}
	askedValues = socktest.Values{KeepAlive: 1, Idle: 111, Interval: 22, Count: 3, UserTimeout: 44444}
)

// serve listens with the options of nobody and holds every accepted connection
// open until the test ends. multipath asks for a Multipath TCP listener.
func serve(t testing.TB, network, address string, multipath bool) net.Listener {
	t.Helper()
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(multipath)
	l, err := lc.Listen(context.Background(), network, address)
	require.NoError(t, err)
	hold(t, l)
	return l
}

func hold(t testing.TB, l net.Listener) {
	var wg sync.WaitGroup
	wg.Go(func() {
		var held []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			held = append(held, c)
		}
		for _, c := range held {
			c.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
}

// loopback is a plain TCP listener on 127.0.0.1.
func loopback(t testing.TB) net.Listener { return serve(t, "tcp4", "127.0.0.1:0", false) }

// setAsked is the hook that people write: all options, no thought of Go's.
func setAsked(_, _ string, c syscall.RawConn) error {
	var err error
	outer := c.Control(func(fd uintptr) { err = socktest.SetOptions(int(fd), askedValues) })
	if outer != nil {
		return outer
	}
	return err
}
