package sockopt_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// The tests of this file run inside gVisor's sandbox, where .ci/gvisor starts
// them. gVisor is a Linux kernel of its own, and says things that are not so.

// onlyInGVisor skips elsewhere. Asked to run, it fails on any other kernel.
func onlyInGVisor(t *testing.T) {
	t.Helper()
	if os.Getenv("KEEPALIVE_TEST_GVISOR") != "1" {
		t.Skip("KEEPALIVE_TEST_GVISOR is not 1")
	}
	var u unix.Utsname
	require.NoError(t, unix.Uname(&u))
	require.Contains(t, unix.ByteSliceToString(u.Release[:]), "gvisor")
}

var (
	gvisorConfig = sockopt.Config{Idle: 47 * time.Second, Interval: 7 * time.Second, Count: 5, UserTimeout: 61500 * time.Millisecond}
	gvisorValues = testkit.Values{KeepAlive: 1, Idle: 47, Interval: 7, Count: 5, UserTimeout: 61500}
)

// requireGVisor compares what the library reads, and what plain system calls
// read, with gvisorConfig.
func requireGVisor(t *testing.T, conn net.Conn) {
	t.Helper()
	require.Equal(t, gvisorValues, testkit.Read(t, conn.(*net.TCPConn)))
	held, err := sockopt.Get(conn)
	require.NoError(t, err)
	require.Equal(t, gvisorConfig, sockopt.FromSettings(held))
}

// gvisorAccept connects to l and returns the accepted connection.
func gvisorAccept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	t.Cleanup(func() { l.Close() })
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return testkit.Accept(t, l, client)
}

func TestGVisorWays(t *testing.T) {
	onlyInGVisor(t)
	plain := func(t *testing.T) net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { l.Close() })
		return l
	}
	onError := func(t *testing.T) func(net.Conn, error) {
		return func(_ net.Conn, err error) { t.Errorf("OnError: %v", err) }
	}
	t.Run("Set", func(t *testing.T) {
		client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
		for _, c := range []net.Conn{client, server} {
			require.NoError(t, sockopt.Set(c, gvisorConfig))
			requireGVisor(t, c)
		}
	})
	t.Run("Dialer", func(t *testing.T) {
		d, err := dialer.New(gvisorConfig)
		require.NoError(t, err)
		c, err := d.Dial("tcp", plain(t).Addr().String())
		require.NoError(t, err)
		defer c.Close()
		requireGVisor(t, c)
	})
	t.Run("ListenConfig", func(t *testing.T) {
		lc := listener.ListenConfig{Config: gvisorConfig, OnError: onError(t)}
		l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		requireGVisor(t, gvisorAccept(t, l))
	})
	t.Run("ListenConfig with Multipath TCP", func(t *testing.T) { // which gVisor lacks
		var heard []string
		lc := listener.ListenConfig{Config: gvisorConfig, MultipathTCP: true, OnError: func(_ net.Conn, err error) {
			heard = append(heard, err.Error())
		}}
		l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		requireGVisor(t, gvisorAccept(t, l))
		require.Len(t, heard, 1)
		assert.Contains(t, heard[0], "plain TCP instead of the Multipath TCP asked for")
	})
	t.Run("Wrap", func(t *testing.T) {
		lc := listener.ListenConfig{Config: gvisorConfig, OnError: onError(t)}
		l, err := lc.Wrap(plain(t))
		require.NoError(t, err)
		requireGVisor(t, gvisorAccept(t, l))
	})
	t.Run("Restore", func(t *testing.T) {
		inner := plain(t)
		require.NoError(t, sockopt.Set(inner, gvisorConfig))
		l, err := listener.Restore(inner)
		require.NoError(t, err)
		requireGVisor(t, gvisorAccept(t, l))
	})
	t.Run("listener.Configure", func(t *testing.T) {
		var lc net.ListenConfig
		if err := listener.Configure(&lc, gvisorConfig); err != nil {
			require.ErrorIs(t, err, errors.ErrUnsupported)
			return // as on every system without inheritance
		}
		l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		requireGVisor(t, gvisorAccept(t, l))
	})
}

// TestGVisorInheritance states what the kernel itself does, which is why a
// listening socket's options are not enough: only the user timeout goes over
// (propagateInheritableOptionsLocked in pkg/tcpip/transport/tcp/accept.go).
func TestGVisorInheritance(t *testing.T) {
	onlyInGVisor(t)
	lc := net.ListenConfig{KeepAlive: -1}
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, sockopt.Set(l, gvisorConfig))
	server := gvisorAccept(t, l)
	want := testkit.Untouched()
	want.UserTimeout = 61500
	assert.Equal(t, want, testkit.Read(t, server.(*net.TCPConn)))
}

// TestGVisorLimits: they are Linux's, and so is what unset options mean, though
// /proc/sys says something else.
func TestGVisorLimits(t *testing.T) {
	onlyInGVisor(t)
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	most := sockopt.Config{Idle: 32767 * time.Second, Interval: 32767 * time.Second, Count: 127, UserTimeout: (1<<31 - 1) * time.Millisecond}
	least := sockopt.Config{Idle: 1, Interval: 1, Count: 1, UserTimeout: 1}
	require.NoError(t, sockopt.Set(client, most))
	require.NoError(t, sockopt.Set(client, least))
	require.NoError(t, sockopt.Set(client, sockopt.Config{UserTimeout: sockopt.NoUserTimeout}))
	assert.Equal(t, testkit.Values{KeepAlive: 1, Idle: 1, Interval: 1, Count: 1, UserTimeout: 0}, testkit.Read(t, client))

	defaults, err := kernel.SystemDefaults()
	require.NoError(t, err)
	assert.Equal(t, "off idle=7200s interval=75s count=9 user-timeout=off", defaults.String())
	for name, lie := range map[string]string{"time": "7200", "intvl": "0", "probes": "0"} {
		text, err := os.ReadFile("/proc/sys/net/ipv4/tcp_keepalive_" + name)
		require.NoError(t, err)
		assert.Equal(t, lie, strings.TrimSpace(string(text)), name)
	}
	// Which namespace a given socket is in cannot be found out here: the result is an
	// error, not a guess.
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		of, err := kernel.SystemRetriesOf(fd)
		require.Error(t, err)
		assert.Zero(t, of)
	}))
}

// TestGVisorUnknownOption: setsockopt of an option that gVisor does not know
// succeeds and does nothing. Only reading back finds out. Here the user timeout
// has such a number, as for a program whose option is newer than its sandbox.
func TestGVisorUnknownOption(t *testing.T) {
	onlyInGVisor(t)
	for _, number := range []int{44 /* TCP_RTO_MAX_MS */, 9999} {
		client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
		rc, err := client.SyscallConn()
		require.NoError(t, err)
		require.NoError(t, rc.Control(func(fd uintptr) {
			assert.NoError(t, unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, number, 5000))
			_, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, number)
			assert.ErrorIs(t, err, unix.ENOPROTOOPT)
		}))

		rules := *kernel.Current()
		rules.Specs = slices.Clone(rules.Specs)
		rules.Spec(platform.UserTimeout).Number = number
		setter, err := socket.OS{Table: &rules}.NewSetter(kernel.Request(gvisorConfig))
		require.NoError(t, err)
		assert.NoError(t, setter.WithoutReadBack().SetOnce(client), "the lie is believed")
		err = setter.Set(client)
		var option *platform.OptionError
		require.ErrorAs(t, err, &option)
		assert.Equal(t, "getsockopt TCP_USER_TIMEOUT", option.Call+" "+option.Symbol)
		assert.ErrorIs(t, err, errors.ErrUnsupported)
		// Everything else was set, and the option that is missing is not shown as 0.
		want := gvisorValues
		want.UserTimeout = 0
		assert.Equal(t, want, testkit.Read(t, client))
		require.NoError(t, rc.Control(func(fd uintptr) {
			held, err := rules.Read(kernel.System(), fd)
			assert.NoError(t, err)
			assert.False(t, held.Known.Has(platform.UserTimeout))
			assert.True(t, held.Enabled)
		}))
	}
}
