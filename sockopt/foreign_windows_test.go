package sockopt_test

import (
	"context"
	"errors"
	"io"
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

// TestForeignRefusedEarly: what the table rules out is an error of every entry
// point, and no call was made.
func TestForeignRefusedEarly(t *testing.T) {
	table := foreignTable(t)
	cfg, kind, bad := foreignConfig(table), "is too large", platform.Count
	cfg.Count = 256
	if foreignOld(table) {
		cfg.Count, kind = 5, "is not supported"
	}
	check := func(name string, err error) {
		t.Helper()
		var fault *platform.Fault
		require.ErrorAs(t, err, &fault, name)
		assert.Contains(t, fault.Problem, kind, name)
		assert.Equal(t, bad, fault.Option, name)
		assert.Equal(t, table.Name, fault.Platform, name)
		assert.Equal(t, foreignOld(table), errors.Is(err, errors.ErrUnsupported), name)
	}
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	before := foreignOptions(t, client)
	check("Validate", cfg.Validate())
	check("Set", sockopt.Set(client, cfg))
	_, err := dialer.New(cfg)
	check("dialer.New", err)
	_, err = (&dialer.Dialer{Config: cfg}).Dial("tcp", "127.0.0.1:1")
	check("Dial", err)
	lc := listener.ListenConfig{Config: cfg}
	_, err = lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	check("Listen", err)
	_, err = listener.Wrap(foreignListen(t), cfg)
	check("Wrap", err)
	assert.Equal(t, before, foreignOptions(t, client))

	if foreignOld(table) { // half of SIO_KEEPALIVE_VALS
		cfg, kind, bad = sockopt.Config{Idle: time.Minute}, "without ", platform.Idle
		check("Idle alone", sockopt.Set(client, cfg))
		assert.Equal(t, before, foreignOptions(t, client))
	}
	nearest, changes, err := cfg.Nearest()
	require.NoError(t, err)
	assert.Len(t, changes, 1)
	require.NoError(t, nearest.Validate())
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

// TestForeignKernelRefuses: the table lets a value through that this kernel
// refuses. The error names the call, and everything else was set.
func TestForeignKernelRefuses(t *testing.T) {
	table := foreignTable(t)
	if !foreignWine() {
		t.Skip("the limits are Linux's")
	}
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	cfg := foreignConfig(table)
	cfg.Idle = 32768 * time.Second
	err := sockopt.Set(client, cfg)
	var option *platform.OptionError
	require.ErrorAs(t, err, &option)
	require.ErrorIs(t, err, win.WSAEINVAL)
	assert.NotErrorIs(t, err, errors.ErrUnsupported)
	if foreignOld(table) {
		assert.Equal(t, "ioctl SIO_KEEPALIVE_VALS={1,32768000,6500}", option.Call+" "+option.Symbol+"="+option.Value)
	} else {
		assert.Equal(t, "setsockopt TCP_KEEPIDLE=32768", option.Call+" "+option.Symbol+"="+option.Value)
	}
	held, err := sockopt.Get(client)
	require.NoError(t, err)
	assert.True(t, held.Enabled)
	if !foreignOld(table) {
		assert.Equal(t, []any{7 * time.Second, 5}, []any{held.Interval, held.Count})
	}

	// If the kernel refuses an option, the dial fails. A listening socket is not touched, so
	// a listener reports the option at accept.
	_, err = (&dialer.Dialer{Config: cfg}).Dial("tcp", foreignListen(t).Addr().String())
	require.ErrorIs(t, err, win.WSAEINVAL)
	var heard error
	lc := listener.ListenConfig{Config: cfg, OnError: func(_ net.Conn, err error) { heard = err }}
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	foreignConnect(t, l, net.Dial)
	require.ErrorIs(t, heard, win.WSAEINVAL)
}

// TestForeignUserTimeout: Wine has no TCP_MAXRT. The error says that it is
// missing, and the rest of the Config was set.
func TestForeignUserTimeout(t *testing.T) {
	table := foreignTable(t)
	if !foreignWine() {
		t.Skip("Windows has TCP_MAXRT")
	}
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	cfg := foreignConfig(table)
	cfg.UserTimeout = time.Minute
	err := sockopt.Set(client, cfg)
	var option *platform.OptionError
	require.ErrorAs(t, err, &option)
	assert.Equal(t, "setsockopt TCP_MAXRT=60", option.Call+" "+option.Symbol+"="+option.Value)
	assert.ErrorIs(t, err, errors.ErrUnsupported)
	assert.ErrorIs(t, err, win.WSAENOPROTOOPT)
	requireForeign(t, table, client)

	cfg.UserTimeout = sockopt.NoUserTimeout
	var fault *platform.Fault
	require.ErrorAs(t, sockopt.Set(client, cfg), &fault)
	assert.Equal(t, platform.UserTimeout, fault.Option)
}

// TestForeignCause classifies Winsock's real errors.
func TestForeignCause(t *testing.T) {
	buffer := make([]byte, 1)
	t.Run("reset", func(t *testing.T) {
		if foreignWine() && foreignOld(foreignTable(t)) {
			t.Skip("Wine 8 reads the end of the stream where the peer sent RST")
		}
		var err error
		for range 10 { // Wine 10 reads EOF when the RST comes while Read begins: 18 of 200 times
			client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
			require.NoError(t, server.SetLinger(0))
			require.NoError(t, server.Close())
			_, err = client.Read(buffer)
			if err != io.EOF || !foreignWine() {
				break
			}
		}
		require.ErrorIs(t, err, win.WSAECONNRESET)
		assert.Equal(t, sockopt.Reset, sockopt.CauseOf(err))
	})
	t.Run("end of stream", func(t *testing.T) {
		client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
		require.NoError(t, server.Close())
		_, err := client.Read(buffer)
		require.ErrorIs(t, err, io.EOF)
		assert.Equal(t, sockopt.EndOfStream, sockopt.CauseOf(err))
	})
	t.Run("deadline", func(t *testing.T) {
		client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
		require.NoError(t, client.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
		_, err := client.Read(buffer)
		assert.Equal(t, sockopt.Deadline, sockopt.CauseOf(err), "%v", err)
	})
	t.Run("closed", func(t *testing.T) {
		client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
		require.NoError(t, client.Close())
		_, err := client.Read(buffer)
		assert.Equal(t, sockopt.Closed, sockopt.CauseOf(err), "%v", err)
		assert.ErrorIs(t, sockopt.Set(client, sockopt.Config{}), net.ErrClosed)
		_, err = sockopt.Get(client)
		assert.ErrorIs(t, err, net.ErrClosed)
	})
	t.Run("refused", func(t *testing.T) {
		l := foreignListen(t)
		require.NoError(t, l.Close())
		_, err := net.Dial("tcp", l.Addr().String())
		require.Error(t, err)
		assert.Equal(t, sockopt.DialFailed, sockopt.CauseOf(err), "%v", err)
	})
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
