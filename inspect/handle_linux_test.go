package inspect_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
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

func TestTrafficPushesTheProbeNotTheTimer(t *testing.T) {
	t.Parallel()
	client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, asked))
	time.Sleep(2 * time.Second) // of silence
	_, err := server.Write([]byte("x"))
	require.NoError(t, err)
	_, err = io.ReadFull(client, make([]byte, 1))
	require.NoError(t, err)
	r := of(t, client)
	next, err := r.NextProbe()
	require.NoError(t, err)
	assert.LessOrEqual(t, r.Timer.Left, 98*time.Second)
	assert.InDelta(t, 100, next.Seconds(), 1)
}

func TestStatesOfClosing(t *testing.T) {
	t.Parallel()
	client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, asked))
	require.NoError(t, sockopt.Set(server, asked))
	require.NoError(t, client.CloseWrite())
	eventually(t, server, inspect.CloseWait)
	eventually(t, client, inspect.FinWait2)
	r := of(t, server)
	assert.Equal(t, "keepalive", r.Timer.Kind)
	_, err := r.NextProbe()
	assert.NoError(t, err, "the half that is open is kept alive")
	assert.ErrorIs(t, inspect.Alive(server), inspect.ErrPeerClosed)
	assert.ErrorIs(t, inspect.Alive(client), inspect.ErrNotConnected)
}

func eventually(t *testing.T, c any, state inspect.State) {
	t.Helper()
	testkit.Until(t, "the kernel notices", func() bool { return of(t, c).State == state })
}

// A sender whose peer does not read ends up with a window of zero.
// foreign makes a connection in a network namespace that the test then leaves.
func foreign(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	testkit.InNamespace(t, func() {
		client, server = testkit.Pair(t, "tcp4", "127.0.0.1:0")
		require.NoError(t, sockopt.Set(client, asked))
		requireAsked(t, of(t, client))
	})
	return client, server
}

func TestAConnectionOfAnotherNamespaceIsSaidSo(t *testing.T) {
	t.Parallel()
	client, server := foreign(t)
	r := of(t, client)
	assert.ErrorIs(t, r.Unknown, inspect.ErrOtherNamespace)
	assert.Equal(t, "", r.Timer.Kind)
	assert.Equal(t, "", r.Source)
	assert.Equal(t, inspect.Established, r.State, "TCP_INFO knows")
	assert.Equal(t, 100*time.Second, r.Settings.Idle, "getsockopt knows")
	assert.True(t, r.Activity.Known)
	assert.Equal(t, "timer:(unknown)", r.Timer.String())
	assert.Contains(t, r.Explain(), "another network namespace")
	assert.Contains(t, r.Explain(), "2m46s")
	assert.NoError(t, inspect.Alive(client))
	server.Close()
	eventually(t, client, inspect.CloseWait)
}

// From another network namespace no timer shows that the window is closed, or that data is
// in flight, and the sysctls of this namespace do not decide. TCP_INFO shows both, and the
// sysctls are read in the namespace of the socket.
func TestDataInFlightInAnotherNamespace(t *testing.T) {
	t.Parallel()
	var full, flying, server *net.TCPConn
	testkit.InNamespace(t, func() {
		require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/tcp_retries2", []byte("5"), 0))
		full, _ = testkit.Pair(t, "tcp4", "127.0.0.1:0")
		flying, server = testkit.Pair(t, "tcp4", "127.0.0.1:0")
		for _, c := range []*net.TCPConn{full, flying} {
			require.NoError(t, sockopt.Set(c, asked))
		}
		fill(t, full)
	})
	r := of(t, full)
	require.ErrorIs(t, r.Unknown, inspect.ErrOtherNamespace)
	assert.True(t, r.Activity.WindowClosed)
	assert.Equal(t, "the peer's window is zero, and it answers: it does not read; it is not given up for that", r.Explain())
	_, err := r.NextProbe()
	assert.ErrorIs(t, err, inspect.ErrNoProbe)

	testkit.DropReceived(t, server)
	_, err = flying.Write([]byte("lost"))
	require.NoError(t, err)
	r = of(t, flying)
	require.ErrorIs(t, r.Unknown, inspect.ErrOtherNamespace)
	require.NotNil(t, r.Retries)
	assert.Equal(t, 5, r.Retries.Data)
	assert.Contains(t, r.Explain(), "net.ipv4.tcp_retries2=5 decides, not before 13s")
	_, err = r.NextProbe()
	assert.Error(t, err)
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

// vanishing makes a connection whose peer falls silent.
func vanishing(t *testing.T, f func(client, server *net.TCPConn, vanish func())) {
	t.Helper()
	testkit.InNamespace(t, func() {
		client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		f(client, server, func() { testkit.IP(t, "link set lo down") })
	})
}

func TestDataInFlightAndUnansweredProbes(t *testing.T) {
	t.Parallel()
	vanishing(t, func(client, server *net.TCPConn, vanish func()) {
		require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 3}))
		require.NoError(t, sockopt.Set(server, asked))
		vanish()
		_, err := server.Write([]byte("lost"))
		require.NoError(t, err)
		testkit.Until(t, "the kernel notices", func() bool { return errors.Is(inspect.Alive(server), inspect.ErrSuspect) })
		r := of(t, server)
		assert.Equal(t, "on", r.Timer.Kind)
		assert.Equal(t, 1, r.Activity.Unacked)
		_, err = r.NextProbe()
		assert.ErrorIs(t, err, inspect.ErrNoProbe)
		assert.Contains(t, r.Explain(), "data is in flight")

		// The peer of client is silent, and client only notices by its probes.
		testkit.Until(t, "the kernel notices", func() bool { return errors.Is(inspect.Alive(client), inspect.ErrSuspect) })
		r = of(t, client)
		n, known := r.Unanswered()
		assert.True(t, known)
		assert.Positive(t, n)
		assert.Contains(t, r.Explain(), "unanswered, next in")
		testkit.Until(t, "the kernel notices", func() bool { return errors.Is(inspect.Alive(client), inspect.ErrGone) })
		_, err = client.Read(make([]byte, 1))
		assert.ErrorIs(t, err, syscall.ETIMEDOUT, "the error is still there")
	})
}

func TestAConnectionThatIsBeingMade(t *testing.T) {
	t.Parallel()
	testkit.InNamespace(t, func() {
		testkit.IP(t, "link add ka0 type veth peer name ka1", "link set ka1 up", "addr add 192.0.2.1/24 dev ka0", "link set ka0 up", "neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev ka0")
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		require.NoError(t, err)
		defer unix.Close(fd)
		require.ErrorIs(t, unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 9}, Port: 80}), unix.EINPROGRESS)
		r := of(t, rawFD(fd))
		assert.Equal(t, inspect.SynSent, r.State)
		assert.Equal(t, "on", r.Timer.Kind)
		assert.Equal(t, netip.MustParseAddrPort("192.0.2.9:80"), r.Peer)
		assert.Contains(t, r.Explain(), "connecting")
		assert.ErrorIs(t, inspect.Alive(rawFD(fd)), inspect.ErrNotConnected)
	})
}

// rawFD is a descriptor that no package owns.
type rawFD int

func (fd rawFD) Control(f func(uintptr)) error { f(uintptr(fd)); return nil }
func (rawFD) Read(func(uintptr) bool) error    { panic("not to be used") }
func (rawFD) Write(func(uintptr) bool) error   { panic("not to be used") }

func TestManyAtATimeBesideClose(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	h, err := inspect.NewHandle(client)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				for _, err := range []error{h.Alive(), second(h.Report())} {
					if err != nil && !errors.Is(err, net.ErrClosed) {
						t.Error(err)
					}
				}
			}
		})
	}
	client.Close()
	wg.Wait()
}

func second[T any](_ T, err error) error { return err }

// Not parallel: it counts descriptors.
func TestNothingLeaks(t *testing.T) {
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	of(t, client) // opens what stays open
	check := testkit.StartLeakCheck(t)
	for range 100 {
		of(t, client)
		inspect.Of(nil)
		for range inspect.List(inspect.Filter{States: allStates}) {
			break
		}
		for range inspect.List(inspect.Filter{}) {
		}
	}
	check.End(t)
}

func TestHandlesAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	if runtime.GOARCH == "386" || runtime.GOARCH == "s390x" {
		t.Skip("x/sys, which knows how socket calls are made here, allocates")
	}
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, asked))
	h, err := inspect.NewHandle(client)
	require.NoError(t, err)
	for rule, f := range map[string]func() error{
		"Report": func() error { return second(h.Report()) },
		"Alive":  h.Alive,
	} {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if err := f(); err != nil {
				panic(err)
			}
		}), rule)
	}
}
