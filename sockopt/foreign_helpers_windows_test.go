package sockopt_test

import (
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	win "golang.org/x/sys/windows"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// foreignTable returns the table in use. Under Wine, .ci/wine says which one
// that must be, so that a detection which always gives the same answer fails.
func foreignTable(t *testing.T) *platform.Table {
	t.Helper()
	table := platform.Current()
	if want := os.Getenv("KEEPALIVE_TEST_TABLE"); want != "" {
		require.Equal(t, want, table.Name)
	}
	return table
}

// foreignWine recognizes Wine, whose limits and defaults are those of the Linux below it,
// from Windows.
func foreignWine() bool { return os.Getenv("KEEPALIVE_TEST_TABLE") != "" }

func foreignOld(table *platform.Table) bool { return table.Name == "windows-before-1709" }

// foreignConfig is what both Windowses take, with values that no system has by
// default. The fractions show the rounding.
func foreignConfig(table *platform.Table) sockopt.Config {
	cfg := sockopt.Config{Idle: 46500 * time.Millisecond, Interval: 6500 * time.Millisecond}
	if !foreignOld(table) {
		cfg.Count = 5
	}
	return cfg
}

// foreignHeld is what a socket must hold after foreignConfig.
func foreignHeld(table *platform.Table) platform.Settings {
	if foreignOld(table) {
		return platform.Settings{Enabled: true, Known: kernel.SetOf(platform.KeepAlive)}
	}
	return platform.Settings{Enabled: true, Idle: 47 * time.Second, Interval: 7 * time.Second, Count: 5,
		Known: kernel.SetOf(platform.KeepAlive, platform.Idle, platform.Interval, platform.Count)}
}

// foreignOption is one getsockopt, without the code under test.
type foreignOption struct {
	value int
	err   error
}

// foreignOptions reads SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT.
func foreignOptions(t *testing.T, c syscall.Conn) (got [4]foreignOption) {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		for i, o := range [4][2]int{{0xffff, 8}, {6, 3}, {6, 17}, {6, 16}} {
			got[i].value, got[i].err = win.GetsockoptInt(win.Handle(fd), o[0], o[1])
		}
	}))
	return got
}

func requireForeign(t *testing.T, table *platform.Table, conn net.Conn) {
	t.Helper()
	want := [4]foreignOption{{1, nil}, {47, nil}, {7, nil}, {5, nil}}
	if foreignOld(table) {
		none := foreignOption{0, win.WSAENOPROTOOPT}
		want = [4]foreignOption{{1, nil}, none, none, none}
	}
	require.Equal(t, want, foreignOptions(t, conn.(syscall.Conn)))
	held, err := sockopt.Get(conn)
	require.NoError(t, err)
	// TCP_MAXRT may be there, depending on the version; Wine lacks it.
	held.Known &^= kernel.SetOf(platform.UserTimeout)
	held.UserTimeout = 0
	require.Equal(t, foreignHeld(table), held)
	if foreignOld(table) {
		assert.Equal(t, "on idle=unknown interval=unknown count=unknown user-timeout=unknown", held.String())
	}
}

// foreignConnect returns both ends of a connection that dial and l make.
func foreignConnect(t *testing.T, l net.Listener, dial func(network, address string) (net.Conn, error)) (client, server net.Conn) {
	t.Helper()
	client, err := dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	server, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	return client, server
}

func foreignListen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// foreignOnError is a listener's OnError.
func foreignOnError(t *testing.T) func(net.Conn, error) {
	return func(_ net.Conn, err error) { t.Errorf("OnError: %v", err) }
}
