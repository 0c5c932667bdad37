package inspect_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

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
