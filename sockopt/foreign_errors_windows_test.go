package sockopt_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	win "golang.org/x/sys/windows"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

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
