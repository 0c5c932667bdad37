package inspect_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

var (
	asked       = sockopt.Config{Idle: 100 * time.Second, Interval: 22 * time.Second, Count: 3}
	askedValues = testkit.Values{KeepAlive: 1, Idle: 100, Interval: 22, Count: 3}
)

func of(t *testing.T, c any) inspect.Report {
	t.Helper()
	r, err := inspect.Of(c)
	require.NoError(t, err)
	return r
}

// requireAsked compares a report of a connection with askedValues, which it was
// given less than 5 s ago.
func requireAsked(t *testing.T, r inspect.Report) {
	t.Helper()
	require.NoError(t, r.Unknown)
	assert.Equal(t, "sock_diag", r.Source)
	assert.Equal(t, inspect.Established, r.State)
	assert.True(t, r.Settings.Enabled)
	assert.Equal(t, 100*time.Second, r.Settings.Idle)
	assert.Equal(t, 22*time.Second, r.Settings.Interval)
	assert.Equal(t, 3, r.Settings.Count)
	assert.Equal(t, "keepalive", r.Timer.Kind)
	assert.InDelta(t, 97.5, r.Timer.Left.Seconds(), 2.6)
	assert.Zero(t, r.Timer.Unanswered)
	next, err := r.NextProbe()
	require.NoError(t, err)
	assert.InDelta(t, 97.5, next.Seconds(), 2.6)
	d, err := r.DetectionTime()
	require.NoError(t, err)
	assert.Equal(t, 166*time.Second, d)
	assert.NotZero(t, r.Inode)
	assert.True(t, r.Activity.Known)
}

func TestOfConnectionsOfAllKinds(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", testkit.Mapped, ":0"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			if address != "127.0.0.1:0" {
				testkit.NeedIPv6(t)
			}
			client, server := testkit.Pair(t, "tcp", address)
			for _, c := range []*net.TCPConn{client, server} {
				assert.Equal(t, "keepalive is off: a dead peer of an idle connection is never noticed", pointerTo(of(t, c)).Explain())
				require.NoError(t, sockopt.Set(c, asked))
				r := of(t, c)
				requireAsked(t, r)
				assert.False(t, r.Multipath)
				assert.Equal(t, c.LocalAddr().(*net.TCPAddr).AddrPort().Port(), r.Local.Port())
				assert.Equal(t, c.RemoteAddr().(*net.TCPAddr).AddrPort().Port(), r.Peer.Port())
				assert.Equal(t, askedValues, testkit.Read(t, c))
			}
		})
	}
}

func pointerTo(r inspect.Report) *inspect.Report { return &r }

type wrapper struct{ net.Conn }

func (w wrapper) NetConn() net.Conn { return w.Conn }

func TestOfLooksThroughWrappers(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, asked))
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	for rule, c := range map[string]any{
		"TLS": tls.Client(client, &tls.Config{ServerName: "x"}), "TLS in a wrapper": wrapper{tls.Client(client, &tls.Config{ServerName: "x"})},
		"a wrapper": wrapper{client}, "pinned": sockopt.Pin(client), "a RawConn": rc,
	} {
		t.Run(rule, func(t *testing.T) { requireAsked(t, of(t, c)) })
	}
}

func TestOfMultipathTCP(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		var lc net.ListenConfig
		lc.SetMultipathTCP(true)
		l, err := lc.Listen(context.Background(), "tcp", address)
		require.NoError(t, err)
		defer l.Close()
		for _, multipath := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, client %v", address, multipath), func(t *testing.T) {
				d := net.Dialer{}
				d.SetMultipathTCP(multipath)
				client, err := d.Dial("tcp", l.Addr().String())
				require.NoError(t, err)
				defer client.Close()
				server := testkit.Accept(t, l, client)
				for _, c := range []net.Conn{client, server} {
					require.NoError(t, sockopt.Set(c, asked))
					r := of(t, c)
					requireAsked(t, r)
					assert.Equal(t, multipath, r.Multipath)
					assert.True(t, r.Settings.Known.Has(platform.UserTimeout), "it is known that Multipath TCP has none")
					assert.Zero(t, r.Settings.UserTimeout)
					assert.NoError(t, inspect.Alive(c))
				}
			})
		}
		r := of(t, l)
		assert.Equal(t, inspect.Listen, r.State)
		assert.True(t, r.Multipath)
	}
}

func TestOfListeners(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		var lc net.ListenConfig
		lc.SetMultipathTCP(false)
		l, err := lc.Listen(context.Background(), "tcp", address)
		require.NoError(t, err)
		defer l.Close()
		require.NoError(t, sockopt.Set(l, asked))
		r := of(t, l)
		require.NoError(t, r.Unknown)
		assert.Equal(t, inspect.Listen, r.State)
		assert.Equal(t, "off", r.Timer.Kind)
		assert.False(t, r.Activity.Known, "the fields count connections there")
		assert.Equal(t, "a listener: connections that inherit this give a peer up 2m46s after its last answer", r.Explain())
		assert.ErrorIs(t, inspect.Alive(l), inspect.ErrNotConnected)
	}
}

func TestOfRefuses(t *testing.T) {
	t.Parallel()
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer u.Close()
	closed, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	closed.Close()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	for _, row := range []struct {
		rule string
		c    any
		want error
	}{
		{"UDP", u, sockopt.ErrNotTCP},
		{"closed", closed, net.ErrClosed},
		{"a pipe", a, sockopt.ErrNoSocket},
		{"nil", nil, sockopt.ErrNoSocket},
		{"a nil connection", (*net.TCPConn)(nil), sockopt.ErrNoSocket},
	} {
		_, err := inspect.Of(row.c)
		assert.ErrorIs(t, err, row.want, row.rule)
		assert.ErrorIs(t, inspect.Alive(row.c), row.want, row.rule)
	}
}

func TestAHandleOfAClosedConnection(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	h, err := inspect.NewHandle(client)
	require.NoError(t, err)
	client.Close()
	_, err = h.Report()
	assert.ErrorIs(t, err, net.ErrClosed)
	assert.ErrorIs(t, h.Alive(), net.ErrClosed)
}

// Without the cookie, the kernel would answer with the listener.
func TestOfAResetConnectionIsNotItsListener(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	server := testkit.Accept(t, l, client)
	h, err := inspect.NewHandle(server)
	require.NoError(t, err)
	require.NoError(t, client.(*net.TCPConn).SetLinger(0))
	require.NoError(t, client.Close())
	testkit.Until(t, "the kernel notices", func() bool { return h.Alive() != nil })
	r, err := h.Report()
	require.NoError(t, err)
	assert.Equal(t, inspect.Closed, r.State)
	assert.ErrorIs(t, r.Unknown, inspect.ErrGone)
	assert.Equal(t, "off", r.Timer.Kind)
	r = of(t, server) // a new handle, whose addresses are gone
	assert.ErrorIs(t, r.Unknown, inspect.ErrGone)
	_, err = server.Read(make([]byte, 1))
	assert.ErrorIs(t, err, syscall.ECONNRESET, "the error is still there")
}

// Link-local addresses are bound to an interface, whose number the kernel requires.
func TestLinkLocalAndDeviceBound(t *testing.T) {
	t.Parallel()
	testkit.InNamespace(t, func() {
		testkit.IP(t, "link add ka0 type veth peer name ka1", "link set ka1 up", "addr add fe80::1234/64 dev ka0 nodad", "link set ka0 up")
		for _, address := range []string{"[fe80::1234%ka0]:0", "127.0.0.1:0"} {
			client, server := testkit.Pair(t, "tcp", address)
			for _, c := range []*net.TCPConn{client, server} {
				if address == "127.0.0.1:0" {
					bindToDevice(t, c, "lo")
				}
				require.NoError(t, sockopt.Set(c, asked))
				r := of(t, c)
				requireAsked(t, r)
				assert.NotZero(t, r.Device, address)
			}
		}
	})
}

func bindToDevice(t *testing.T, c *net.TCPConn, device string) {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), device) }))
	require.NoError(t, err)
}
