package dialer_test

import (
	"context"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/configtest"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// asked is a Config whose every value differs from Go's and the kernel's
// defaults, as far as this system has them; askedValues is what the kernel then
// holds.
var (
	asked       = configtest.Available(sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3, UserTimeout: 44444 * time.Millisecond})
	askedEarly  = configtest.Available(sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3})
	askedValues = testkit.Make(1, 111, 22, 3, 44444)
)

// refusing is a kernel that answers EPERM to these options.
func refusing(options ...platform.Option) *kerneltest.Fake {
	k := kerneltest.Running()
	for _, o := range options {
		k.FailSet[configtest.At(o)] = kerneltest.EPERM
	}
	return k
}

// lyingAbout is a kernel that accepts everything and holds something else for
// that option.
func lyingAbout(o platform.Option, holds int) *kerneltest.Fake {
	k := kerneltest.Running()
	k.Answer[configtest.At(o)] = holds
	return k
}

// serve listens with the options of nobody and holds every accepted connection
// open until the test ends. multipath asks for a Multipath TCP listener.
func serve(t testing.TB, network, address string, multipath bool) net.Listener {
	t.Helper()
	testkit.NeedOptions(t)
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
	outer := c.Control(func(fd uintptr) { err = testkit.SetOptions(int(fd), askedValues) })
	if outer != nil {
		return outer
	}
	return err
}
