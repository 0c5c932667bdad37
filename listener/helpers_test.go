//go:build linux

package listener_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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

// accept connects to l, over Multipath TCP if it is asked for, and returns what
// Accept hands out. Both ends are closed when the test ends.
func accept(t testing.TB, l net.Listener, multipath bool) net.Conn {
	t.Helper()
	_, server := connect(t, l, multipath)
	return server
}

// connect also returns the other end. The client sets no option.
func connect(t testing.TB, l net.Listener, multipath bool) (client, server net.Conn) {
	t.Helper()
	d := net.Dialer{KeepAlive: -1, Timeout: 10 * time.Second}
	d.SetMultipathTCP(multipath)
	client, err := d.Dial(l.Addr().Network(), reachable(l))
	require.NoError(t, err)
	closing(t, client)
	server, err = l.Accept()
	require.NoError(t, err)
	return client, closing(t, server)
}

// reachable is the address of l for a client on this machine.
func reachable(l net.Listener) string {
	if a, ok := l.Addr().(*net.TCPAddr); ok && a.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port))
	}
	return l.Addr().String()
}

// opened returns l, which is closed when the test ends.
func opened(t testing.TB) func(l net.Listener, err error) net.Listener {
	t.Helper()
	return func(l net.Listener, err error) net.Listener {
		t.Helper()
		require.NoError(t, err)
		t.Cleanup(func() { l.Close() })
		return l
	}
}

// bare is a listening socket that nobody has given an option; package net
// leaves its connections alone as well.
func bare(t testing.TB, network, address string) net.Listener {
	t.Helper()
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	return opened(t)(lc.Listen(context.Background(), network, address))
}

// configured is a listening socket with options set by somebody else; package
// net overwrites those of its connections.
func configured(t testing.TB, v socktest.Values) net.Listener {
	t.Helper()
	lc := net.ListenConfig{Control: setting(v)}
	lc.SetMultipathTCP(false)
	return opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
}

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

// setting is the hook that people write: all options, no thought of Go's.
func setting(v socktest.Values) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var err error
		outer := c.Control(func(fd uintptr) { err = setOptions(int(fd), v) })
		if outer != nil {
			return outer
		}
		return err
	}
}

var setAsked = setting(askedValues)

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

// A fakeKernel makes the real calls, except where a test says otherwise. refuse
// and lie see whether the socket is a listening one.
type fakeKernel struct {
	platform.Kernel
	refuseFD func(fd uintptr, level, number int) error
	refuse   func(listening bool, level, number int) error
	lie      func(listening bool, level, number, held int) int
}

func isListening(fd uintptr) bool {
	n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return err == nil && n == 1
}

func (k fakeKernel) Set(fd uintptr, level, number, value int) error {
	if k.refuseFD != nil {
		if err := k.refuseFD(fd, level, number); err != nil {
			return err
		}
	}
	if k.refuse != nil {
		if err := k.refuse(isListening(fd), level, number); err != nil {
			return err
		}
	}
	return k.Kernel.Set(fd, level, number, value)
}

func (k fakeKernel) Get(fd uintptr, level, number int) (int, error) {
	n, err := k.Kernel.Get(fd, level, number)
	if k.lie != nil && err == nil {
		n = k.lie(isListening(fd), level, number, n)
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

func rawConn(t testing.TB, c any) syscall.RawConn {
	t.Helper()
	require.Implements(t, (*syscall.Conn)(nil), c)
	rc, err := c.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	return rc
}

func protocolOf(t testing.TB, c any) (protocol int) {
	t.Helper()
	require.NoError(t, rawConn(t, c).Control(func(fd uintptr) {
		var err error
		protocol, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL)
		assert.NoError(t, err)
	}))
	return protocol
}

// needIPv6 skips on a machine without ::1.
func needIPv6(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp6", "[::1]:0")
	testenv.Need(t, err == nil, "needs IPv6 on loopback")
	l.Close()
}
