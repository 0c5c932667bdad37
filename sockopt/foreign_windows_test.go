package sockopt_test

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	win "golang.org/x/sys/windows"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// TestForeignWays gives a connection the same Config in every way there is.
func TestForeignWays(t *testing.T) {
	table := foreignTable(t)
	cfg := foreignConfig(table)

	t.Run("Set", func(t *testing.T) {
		client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
		for _, c := range []net.Conn{client, server} {
			require.NoError(t, sockopt.Set(c, cfg))
			requireForeign(t, table, c)
		}
	})
	t.Run("RawConn", func(t *testing.T) {
		client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
		rc, err := client.SyscallConn()
		require.NoError(t, err)
		require.NoError(t, sockopt.Set(rc, cfg))
		requireForeign(t, table, client)
	})
	t.Run("Dialer", func(t *testing.T) {
		d, err := dialer.New(cfg)
		require.NoError(t, err)
		client, _ := foreignConnect(t, foreignListen(t), d.Dial)
		requireForeign(t, table, client)
	})
	t.Run("Dialer over a name", func(t *testing.T) {
		d, err := dialer.New(cfg)
		require.NoError(t, err)
		_, port, err := net.SplitHostPort(foreignListen(t).Addr().String())
		require.NoError(t, err)
		client, err := d.Dial("tcp", net.JoinHostPort("localhost", port))
		require.NoError(t, err)
		defer client.Close()
		requireForeign(t, table, client)
	})
	t.Run("dialer.Configure", func(t *testing.T) {
		var d net.Dialer
		require.NoError(t, dialer.Configure(&d, cfg))
		client, _ := foreignConnect(t, foreignListen(t), d.Dial)
		requireForeign(t, table, client)
	})
	t.Run("ListenConfig", func(t *testing.T) {
		lc := listener.ListenConfig{Config: cfg, OnError: foreignOnError(t)}
		l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		_, server := foreignConnect(t, l, net.Dial)
		requireForeign(t, table, server)
	})
	t.Run("Wrap", func(t *testing.T) {
		lc := listener.ListenConfig{Config: cfg, Pin: true, OnError: foreignOnError(t)}
		l, err := lc.Wrap(foreignListen(t))
		require.NoError(t, err)
		_, server := foreignConnect(t, l, net.Dial)
		require.ErrorIs(t, server.(interface{ SetKeepAlive(bool) error }).SetKeepAlive(false), sockopt.ErrPinned)
		requireForeign(t, table, server)
	})
	t.Run("Restore", func(t *testing.T) {
		inner := foreignListen(t)
		// Somebody else may; this package must not, as nobody knows what it does there.
		require.ErrorIs(t, sockopt.Set(inner, cfg), errors.ErrUnsupported)
		plan, faults := kernel.RulesOf(table).Plan(kernel.Request(cfg))
		require.Empty(t, faults)
		rc, err := inner.(*net.TCPListener).SyscallConn()
		require.NoError(t, err)
		require.NoError(t, rc.Control(func(fd uintptr) { err = plan.Apply(kernel.System(), fd, &plan) }))
		require.NoError(t, err)
		l, err := listener.Restore(inner)
		if foreignOld(table) {
			// The listening socket shows only that keepalive is on.
			require.ErrorIs(t, err, errors.ErrUnsupported)
			assert.ErrorContains(t, err, "leaves idle, interval unset")
			return
		}
		require.NoError(t, err)
		_, server := foreignConnect(t, l, net.Dial)
		requireForeign(t, table, server)
	})
	t.Run("listener.Configure", func(t *testing.T) {
		var lc net.ListenConfig
		require.ErrorIs(t, listener.Configure(&lc, cfg), errors.ErrUnsupported, "nobody knows whether Windows inherits")
		assert.Zero(t, lc.KeepAlive)
		assert.Nil(t, lc.Control)
	})
}

// TestForeignUnset: what a Config leaves out is the system's value and not
// Go's 15 s, on both ends.
func TestForeignUnset(t *testing.T) {
	foreignTable(t)
	fresh, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	want := foreignOptions(t, fresh)
	want[0].value = 1

	lc := listener.ListenConfig{OnError: foreignOnError(t)}
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client, server := foreignConnect(t, l, new(dialer.Dialer).Dial)
	assert.Equal(t, want, foreignOptions(t, client.(syscall.Conn)))
	assert.Equal(t, want, foreignOptions(t, server.(syscall.Conn)))
}

func TestForeignDisabled(t *testing.T) {
	table := foreignTable(t)
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, foreignConfig(table)))
	off := foreignConfig(table)
	off.Disabled = true
	for _, cfg := range []sockopt.Config{off, {Disabled: true}} {
		require.NoError(t, sockopt.Set(client, cfg))
		assert.Equal(t, foreignOption{0, nil}, foreignOptions(t, client)[0])
		held, err := sockopt.Get(client)
		require.NoError(t, err)
		assert.False(t, held.Enabled)
		assert.True(t, held.Known.Has(platform.KeepAlive))
	}
}

// TestForeignCalls: these calls, in this order, and the kernel took them all.
func TestForeignCalls(t *testing.T) {
	table := foreignTable(t)
	want := []string{
		"set 0x6 0x11 7", "set 0x6 0x10 5", "set 0xffff 0x8 1", "set 0x6 0x3 47",
		"get 0x6 0x11", "get 0x6 0x10", "get 0xffff 0x8", "get 0x6 0x3",
	}
	if foreignOld(table) {
		want = []string{"ioctl [1 46500 6500]", "set 0xffff 0x8 1", "get 0xffff 0x8"}
	}
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	k := kerneltest.Running()
	require.NoError(t, socket.OS{Calls: k}.Set(client, kernel.Request(foreignConfig(table))))
	assert.Equal(t, want, k.Calls)
}

// TestForeignDetectionTime: a detection time is computed only from what is
// known.
func TestForeignDetectionTime(t *testing.T) {
	table := foreignTable(t)
	d, err := foreignConfig(table).DetectionTime()
	if foreignOld(table) {
		assert.ErrorIs(t, err, sockopt.ErrUnknown) // the count
		return
	}
	require.NoError(t, err)
	assert.Equal(t, 82*time.Second, d)
}

// TestForeignDeath: the network goes, and keepalive ends the connection at the
// time that was asked for. On old Windows, where nothing can be read back, this
// is what shows that the times arrived.
func TestForeignDeath(t *testing.T) {
	marker := os.Getenv("KEEPALIVE_TEST_DEATH")
	if marker == "" {
		t.Skip("KEEPALIVE_TEST_DEATH does not name the file whose appearance takes the network away")
	}
	table := foreignTable(t)
	cfg := sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 2}
	probes := 2
	if foreignOld(table) {
		cfg.Count, probes = 0, 9 // Linux's; Windows: 10
	}
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, cfg))
	require.NoError(t, os.WriteFile(marker, nil, 0o600))
	start := time.Now()
	require.NoError(t, client.SetReadDeadline(start.Add(time.Minute)))
	_, err := client.Read(make([]byte, 1))
	elapsed := time.Since(start)
	require.ErrorIs(t, err, win.WSAETIMEDOUT)
	assert.Equal(t, sockopt.PeerTimeout, sockopt.CauseOf(err))
	t.Logf("%v after %v", err, elapsed)
	// The first probe may leave before the interface is down.
	assert.InDelta(t, float64(1+probes), elapsed.Seconds(), 1+float64(1+probes)/4)
}
