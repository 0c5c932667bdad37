package inspect_test

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A list of another namespace has the sockets of that namespace and none of this one, by
// sock_diag and by /proc, and the caller stays in its own namespace.
func TestListOfAnotherNamespace(t *testing.T) {
	testkit.Root(t)
	t.Run("sock_diag", func(t *testing.T) { testListOfAnother(t, "sock_diag") })
	t.Run("proc", func(t *testing.T) {
		if testkit.InChildWithoutNetlink(t) {
			testListOfAnother(t, "/proc/net/tcp")
		}
	})
}

func testListOfAnother(t *testing.T, source string) {
	var file *os.File
	var there net.Listener
	testkit.InNamespace(t, func() {
		var err error
		file, err = os.Open("/proc/thread-self/ns/net")
		require.NoError(t, err)
		there, err = net.Listen("tcp4", ":0")
		require.NoError(t, err)
	})
	defer file.Close()
	defer there.Close()
	here, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer here.Close()
	before, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	addresses := func(file *os.File) (found []string) {
		for s, err := range inspect.List(inspect.Filter{States: []inspect.State{inspect.Listen}, Namespace: file}) {
			require.NoError(t, err)
			assert.Equal(t, source, s.Source)
			found = append(found, s.Local.String())
		}
		return found
	}
	assert.Equal(t, []string{there.Addr().String()}, addresses(file))
	assert.Contains(t, addresses(nil), here.Addr().String())
	after, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestListOfWhatIsNoNamespace(t *testing.T) {
	t.Parallel()
	file, err := os.Open("/dev/null")
	require.NoError(t, err)
	defer file.Close()
	for s, err := range inspect.List(inspect.Filter{Namespace: file}) {
		require.Nil(t, s)
		require.ErrorContains(t, err, "/dev/null")
	}
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
