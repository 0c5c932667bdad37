package dialer_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/internal/testenv"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// asked is a Config whose every value differs from Go's and the kernel's
// defaults, as far as this system has them; askedValues is what the kernel then
// holds.
var (
	asked       = available(sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3, UserTimeout: 44444 * time.Millisecond})
	askedEarly  = available(sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3})
	askedValues = socktest.Make(1, 111, 22, 3, 44444)
)

// available is cfg without the options that this system lacks.
func available(cfg sockopt.Config) sockopt.Config {
	for o, unset := range map[platform.Option]func(){
		platform.Idle:        func() { cfg.Idle = 0 },
		platform.Interval:    func() { cfg.Interval = 0 },
		platform.Count:       func() { cfg.Count = 0 },
		platform.UserTimeout: func() { cfg.UserTimeout = 0 },
	} {
		if socktest.Lacks(o) != "" {
			unset()
		}
	}
	return cfg
}

// takes skips the test where this system's table says that it cannot have cfg.
func takes(t testing.TB, cfg sockopt.Config) {
	t.Helper()
	options := []platform.Option{platform.KeepAlive}
	for o, value := range map[platform.Option]int64{
		platform.Idle: int64(cfg.Idle), platform.Interval: int64(cfg.Interval), platform.Count: int64(cfg.Count), platform.UserTimeout: int64(cfg.UserTimeout),
	} {
		if value != 0 {
			options = append(options, o)
		}
	}
	socktest.Need(t, options...)
	table := platform.Current()
	if cfg.UserTimeout == sockopt.NoUserTimeout {
		testenv.Need(t, table.Spec(platform.UserTimeout).Zero == "off", "nobody knows how to switch the user timeout off on "+table.Title)
	}
	if s := table.Spec(platform.Interval); s != nil && s.Max != platform.UnknownLimit {
		testenv.Need(t, cfg.Interval <= time.Duration(s.Max)*s.Unit, table.Title+" takes no such interval")
	}
}

// at is where a fake kernel finds an option of this system.
func at(o platform.Option) kerneltest.At {
	h := socktest.Of(o)
	return kerneltest.At{h.Level, h.Number}
}

// calling is how errors name the call that asks for one of [socktest.Values].
func calling(o platform.Option, value int) string {
	return fmt.Sprintf("%s=%d", socktest.Of(o).Symbol, socktest.Native(o, value))
}

// refusing is a kernel that answers EPERM to these options.
func refusing(options ...platform.Option) *kerneltest.Fake {
	k := kerneltest.Running()
	for _, o := range options {
		k.FailSet[at(o)] = kerneltest.EPERM
	}
	return k
}

// lyingAbout is a kernel that accepts everything and holds something else for
// that option.
func lyingAbout(o platform.Option, holds int) *kerneltest.Fake {
	k := kerneltest.Running()
	k.Answer[at(o)] = holds
	return k
}

// serve listens with the options of nobody and holds every accepted connection
// open until the test ends. multipath asks for a Multipath TCP listener.
func serve(t testing.TB, network, address string, multipath bool) net.Listener {
	t.Helper()
	socktest.Need(t)
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
