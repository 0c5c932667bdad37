package listener_test

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
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
	testkit.Closing(t, client)
	return client, testkit.Accept(t, l, client)
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
		testkit.NeedOptions(t)
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
func configured(t testing.TB, v testkit.Values) net.Listener {
	t.Helper()
	lc := net.ListenConfig{Control: setting(v)}
	lc.SetMultipathTCP(false)
	return opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
}

// setting is the hook that people write: all options, no thought of Go's.
func setting(v testkit.Values) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var err error
		outer := c.Control(func(fd uintptr) { err = testkit.SetOptions(int(fd), v) })
		if outer != nil {
			return outer
		}
		return err
	}
}

var setAsked = setting(askedValues)

// refusing is the running kernel, but for these options, which it sets on no
// socket of the kind.
func refusing(kind func(fd uintptr) bool, errno error, options ...platform.Option) *kerneltest.Fake {
	k := kerneltest.Running()
	k.Only = kind
	for _, o := range options {
		k.FailSet[configtest.At(o)] = errno
	}
	return k
}

// lying is the running kernel, but for these options, of which it says that a
// socket of the kind holds something else.
func lying(kind func(fd uintptr) bool, holds int, options ...platform.Option) *kerneltest.Fake {
	k := kerneltest.Running()
	k.Only = kind
	for _, o := range options {
		k.Answer[configtest.At(o)] = holds
	}
	return k
}

func anySocket(uintptr) bool { return true }

func isListening(fd uintptr) bool {
	listens, err := kernel.Listens(kernel.System(), fd)
	return err == nil && listens
}

func isAccepted(fd uintptr) bool { return !isListening(fd) }

func rawConn(t testing.TB, c any) syscall.RawConn {
	t.Helper()
	require.Implements(t, (*syscall.Conn)(nil), c)
	rc, err := c.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	return rc
}

// heard collects what OnError receives.
type heard struct {
	mu    sync.Mutex
	conns []net.Conn
	errs  []error
}

func (h *heard) on(c net.Conn, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = append(h.conns, c)
	h.errs = append(h.errs, err)
}

// inherited skips the test where connections have cfg in another way than from the
// listening socket.
func inherited(t testing.TB, cfg sockopt.Config) {
	t.Helper()
	why := configtest.NotInherited(cfg)
	testkit.Need(t, why == "", why)
}

// needFiles skips where a listener cannot be passed on as a file.
func needFiles(t testing.TB) {
	t.Helper()
	testkit.Need(t, runtime.GOOS != "windows", "package net passes no sockets on as files on Windows")
}

// needDualStack skips where an IPv6 socket takes no IPv4 clients.
func needDualStack(t testing.TB) {
	t.Helper()
	dual := runtime.GOOS != "openbsd" && runtime.GOOS != "dragonfly"
	testkit.Need(t, dual, "there are no IPv4-mapped addresses on "+runtime.GOOS)
}
