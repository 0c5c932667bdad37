//go:build linux

package dialer_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/internal/testenv"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// asked is a Config whose every value differs from Go's and the kernel's
// defaults; askedValues is what the kernel then holds.
var (
	asked       = sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3, UserTimeout: 44444 * time.Millisecond}
	askedEarly  = sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3}
	askedValues = socktest.Values{KeepAlive: 1, Idle: 111, Interval: 22, Count: 3, UserTimeout: 44444}
)

// values writes a row of a table as the kernel counts it.
func values(keepAlive, idle, interval, count, userTimeout int) socktest.Values {
	return socktest.Values{KeepAlive: keepAlive, Idle: idle, Interval: interval, Count: count, UserTimeout: userTimeout}
}

// noUserTimeout returns v as a socket holds it that was never given one.
func noUserTimeout(v socktest.Values) socktest.Values {
	v.UserTimeout = 0
	return v
}

// untouched returns what a socket holds that nobody has given an option: the
// sysctls of this machine.
var untouched = sync.OnceValue(func() socktest.Values {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		panic(err)
	}
	defer unix.Close(fd)
	get := func(level, option int) int {
		n, err := unix.GetsockoptInt(fd, level, option)
		if err != nil {
			panic(err)
		}
		return n
	}
	return socktest.Values{
		KeepAlive:   get(unix.SOL_SOCKET, unix.SO_KEEPALIVE),
		Idle:        get(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE),
		Interval:    get(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL),
		Count:       get(unix.IPPROTO_TCP, unix.TCP_KEEPCNT),
		UserTimeout: get(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT),
	}
})

// switchedOn returns the system's defaults with keepalive on.
func switchedOn() socktest.Values {
	v := untouched()
	v.KeepAlive = 1
	return v
}

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

// closing returns c, which is closed when the test ends.
func closing[C net.Conn](t testing.TB, c C) C {
	t.Cleanup(func() { c.Close() })
	return c
}

// read asks the kernel for the options of c.
func read(t testing.TB, c any) socktest.Values {
	t.Helper()
	if wrapped, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = wrapped.NetConn()
	}
	require.Implements(t, (*syscall.Conn)(nil), c)
	return socktest.Read(t, c.(syscall.Conn))
}

// setAsked is the hook that people write: all options, no thought of Go's.
func setAsked(_, _ string, c syscall.RawConn) error {
	var err error
	outer := c.Control(func(fd uintptr) { err = setOptions(int(fd), askedValues) })
	if outer != nil {
		return outer
	}
	return err
}

func setOptions(fd int, v socktest.Values) error {
	for _, o := range []struct{ level, name, value int }{
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, v.KeepAlive},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, v.Idle},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, v.Interval},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, v.Count},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, v.UserTimeout},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("setsockopt %d=%d: %w", o.name, o.value, err)
		}
	}
	return nil
}

// A fakeKernel makes the real calls, except that it refuses to set an option,
// or reports another value for it.
type fakeKernel struct {
	platform.Kernel
	refuse func(level, number int) error
	lie    func(level, number, held int) int
}

func (k fakeKernel) Set(fd uintptr, level, number, value int) error {
	if k.refuse != nil {
		if err := k.refuse(level, number); err != nil {
			return err
		}
	}
	return k.Kernel.Set(fd, level, number, value)
}

func (k fakeKernel) Get(fd uintptr, level, number int) (int, error) {
	n, err := k.Kernel.Get(fd, level, number)
	if k.lie != nil && err == nil {
		n = k.lie(level, number, n)
	}
	return n, err
}

// needMultipath skips unless this kernel has Multipath TCP whose sockets take
// keepalive options (Linux 6.10).
func needMultipath(t testing.TB) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	testenv.Need(t, err == nil, "needs a kernel with Multipath TCP switched on")
	defer unix.Close(fd)
	err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 111)
	testenv.Need(t, err == nil, "needs Linux 6.10, where Multipath TCP takes TCP_KEEPIDLE")
}

// A leakCheck compares open descriptors and goroutines with those at its start.
// Tests that use it must not run in parallel with others.
type leakCheck struct{ fds, goroutines int }

func startLeakCheck(t testing.TB) leakCheck {
	// The first network operation opens what the runtime keeps for ever.
	socktest.Pair(t, "tcp4", "127.0.0.1:0")
	return leakCheck{openFDs(t), runtime.NumGoroutine()}
}

func (l leakCheck) end(t testing.TB) {
	t.Helper()
	var fds, goroutines int
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		fds, goroutines = openFDs(t), runtime.NumGoroutine()
		if fds <= l.fds && goroutines <= l.goroutines {
			return
		}
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("at the start %d descriptors and %d goroutines, now %d and %d\n%s",
		l.fds, l.goroutines, fds, goroutines, stacks[:runtime.Stack(stacks, true)])
}

func openFDs(t testing.TB) int {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

// needIPv6 skips on a machine without ::1.
func needIPv6(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp6", "[::1]:0")
	testenv.Need(t, err == nil, "needs IPv6 on loopback")
	l.Close()
}
