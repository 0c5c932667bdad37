package listener_test

import (
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/internal/testenv"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// net.ipv4.tcp_keepalive_time takes more than TCP_KEEPIDLE does, so a listening
// socket may hold an idle time that cannot be put back after accept.
func TestWrapWhereTheSysctlIsBeyondTheOption(t *testing.T) {
	testenv.Root(t)
	inNamespace(t, func() {
		require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/tcp_keepalive_time", []byte("40000"), 0))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()

		before := socktest.Read(t, l.(*net.TCPListener))
		require.Equal(t, 40000, before.Idle)
		_, err = listener.Wrap(l, sockopt.Config{Count: 5})
		require.ErrorContains(t, err, "what the listening socket holds cannot be set on a connection, so set it")
		require.ErrorContains(t, err, "idle=40000s is too large")
		assert.Equal(t, before, socktest.Read(t, l.(*net.TCPListener)), "nothing is half applied")

		_, err = listener.Wrap(l, sockopt.Config{Idle: 60e9})
		require.NoError(t, err)
	})
	inNamespace(t, func() { // keepalive is off, so its timing does not matter
		require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/tcp_keepalive_time", []byte("40000"), 0))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		_, err = listener.Restore(l)
		require.NoError(t, err)
	})
}

// inNamespace runs f in a network namespace of its own and comes back: the
// program's first thread, which this may be, shows its namespace as the
// program's.
func inNamespace(t *testing.T, f func()) {
	t.Helper()
	runtime.LockOSThread() // stays so, should the way back fail
	home, err := os.Open("/proc/thread-self/ns/net")
	require.NoError(t, err)
	defer home.Close()
	require.NoError(t, unix.Unshare(unix.CLONE_NEWNET))
	defer func() {
		require.NoError(t, unix.Setns(int(home.Fd()), unix.CLONE_NEWNET))
		runtime.UnlockOSThread()
	}()
	f()
}
