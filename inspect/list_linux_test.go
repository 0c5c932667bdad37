package inspect_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
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

// list copies the Reports of List.
func list(t testing.TB, f inspect.Filter) (sockets []inspect.Report) {
	t.Helper()
	for s, err := range inspect.List(f) {
		require.NoError(t, err)
		sockets = append(sockets, *s)
	}
	return sockets
}

var allStates = []inspect.State{
	inspect.Established, inspect.SynSent, inspect.SynReceived, inspect.FinWait1, inspect.FinWait2, inspect.TimeWait, inspect.Closed,
	inspect.CloseWait, inspect.LastAck, inspect.Listen, inspect.Closing, inspect.BoundInactive,
}

// ofConnections are the states that a Filter without States selects.
var ofConnections = []inspect.State{
	inspect.Established, inspect.SynSent, inspect.FinWait1, inspect.FinWait2, inspect.CloseWait, inspect.LastAck, inspect.Closing,
}

func TestWhatAListTellsOfASocket(t *testing.T) {
	t.Parallel()
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, asked))
	_, err := server.Write([]byte("unread"))
	require.NoError(t, err)
	require.NoError(t, server.CloseWrite())
	require.Eventually(t, func() bool { return of(t, client).RecvQueue == 6+1 }, 5*time.Second, time.Millisecond, "the FIN counts")
	local := client.LocalAddr().(*net.TCPAddr).AddrPort()
	peer := client.RemoteAddr().(*net.TCPAddr).AddrPort()
	f := inspect.Filter{ // others may have the same ephemeral port
		Local: []string{local.String()},
		Peer:  []string{fmt.Sprintf(":%d", peer.Port())},
	}
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	var cookie uint64
	var st unix.Stat_t
	require.NoError(t, rc.Control(func(fd uintptr) {
		cookie, err = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_COOKIE)
		require.NoError(t, unix.Fstat(int(fd), &st))
	}))
	require.NoError(t, err)
	for _, asks := range []struct{ activity, detail bool }{{}, {activity: true}, {detail: true}, {true, true}} {
		f.Activity, f.Detail = asks.activity, asks.detail
		found := list(t, f)
		require.Len(t, found, 1)
		s := found[0]
		assert.Equal(t, "sock_diag", s.Source)
		assert.Equal(t, inspect.CloseWait, s.State)
		assert.Equal(t, local, s.Local)
		assert.Equal(t, client.RemoteAddr().(*net.TCPAddr).AddrPort(), s.Peer)
		assert.Equal(t, cookie, s.Cookie)
		assert.EqualValues(t, st.Ino, s.Inode)
		assert.EqualValues(t, unix.Getuid(), s.UID)
		assert.EqualValues(t, 7, s.RecvQueue)
		assert.Equal(t, "keepalive", s.Timer.Kind)
		assert.InDelta(t, 97.5, s.Timer.Left.Seconds(), 2.6)
		assert.Equal(t, asks.activity, s.Activity.Known)
		if asks.activity {
			assert.Less(t, s.Activity.LastDataReceived, 5*time.Second)
		}
		if asks.detail {
			assert.Equal(t, "-->", s.Shutdown, "the peer's FIN")
		} else {
			assert.Empty(t, s.Shutdown)
		}
	}
}

func TestV6OnlyListeners(t *testing.T) {
	t.Parallel()
	testkit.NeedIPv6(t)
	for network, want := range map[string]platform.Answer{"tcp6": platform.Yes, "tcp": platform.No, "tcp4": platform.Unknown} {
		l, err := net.Listen(network, ":0")
		require.NoError(t, err)
		defer l.Close()
		found := list(t, inspect.Filter{States: []inspect.State{inspect.Listen}, Detail: true,
			Local: []string{fmt.Sprintf(":%d", uint16(l.Addr().(*net.TCPAddr).Port))}})
		found = slices.DeleteFunc(found, func(s inspect.Report) bool { // somebody else's, of one address
			return !s.Local.Addr().IsUnspecified() || s.Local.Addr().Is4() != (network == "tcp4")
		})
		require.Len(t, found, 1)
		assert.Equal(t, want, found[0].V6Only, network)
		assert.NotZero(t, found[0].SendQueue, "the backlog")
	}
}

// Sockets that exist throughout are in every list, whatever else comes and goes.
func TestListsBesideChurn(t *testing.T) {
	t.Parallel()
	stays := map[[2]netip.AddrPort]bool{} // local and peer: churn uses the same local ports
	for range 50 {
		client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		stays[[2]netip.AddrPort{client.LocalAddr().(*net.TCPAddr).AddrPort(), client.RemoteAddr().(*net.TCPAddr).AddrPort()}] = true
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	stop := make(chan struct{})
	var churn sync.WaitGroup
	churn.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	})
	for range 3 {
		churn.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if c, err := net.Dial("tcp4", l.Addr().String()); err == nil {
					c.(*net.TCPConn).SetLinger(0)
					c.Close()
				}
			}
		})
	}
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		left := len(stays)
		for s, err := range inspect.List(inspect.Filter{Network: "tcp4"}) {
			if err != nil {
				assert.ErrorIs(t, err, inspect.ErrTableChanged)
				left = 0
				break
			}
			if stays[[2]netip.AddrPort{s.Local, s.Peer}] {
				left--
			}
		}
		assert.Zero(t, left, "missing, or listed twice")
	}
	close(stop)
	l.Close()
	churn.Wait()
}

// The number of allocations does not depend on that of sockets.
func TestListsNeedNoMoreMemoryForMoreSockets(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	f := inspect.Filter{Peer: []string{fmt.Sprintf(":%d", uint16(l.Addr().(*net.TCPAddr).Port))}, Activity: true, Detail: true}
	measure := func(want int) float64 {
		return testing.AllocsPerRun(10, func() {
			n := 0
			for range inspect.List(f) {
				n++
			}
			if n != want {
				panic(n)
			}
		})
	}
	none := measure(0)
	const many = 1000
	for range many {
		c, err := net.Dial("tcp4", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
	}
	assert.InDelta(t, none, measure(many), 3)
}

func TestAListOfAnotherNamespaceIsThatOfTheThread(t *testing.T) {
	t.Parallel()
	testkit.InNamespace(t, func() {
		assert.Empty(t, list(t, inspect.Filter{States: allStates}))
		testkit.Pair(t, "tcp4", "127.0.0.1:0")
		assert.Len(t, list(t, inspect.Filter{}), 2)
	})
}

// A link-local address means nothing without its interface: two interfaces have
// the same address.
func TestAListOfOneInterface(t *testing.T) {
	t.Parallel()
	testkit.InNamespace(t, func() {
		testkit.IP(t, "link add ka0 type veth peer name ka1", "link set ka1 up", "link set ka0 up",
			"addr add fe80::1234/64 dev ka0 nodad", "addr add fe80::1234/64 dev ka1 nodad")
		ports := map[string]uint16{}
		for _, device := range []string{"ka0", "ka1"} {
			_, server := testkit.Pair(t, "tcp6", "[fe80::1234%"+device+"]:0")
			ports[device] = server.LocalAddr().(*net.TCPAddr).AddrPort().Port()
		}
		count := func(text string, port uint16) (n int) {
			for _, s := range list(t, inspect.Filter{Local: []string{text}}) {
				if s.Local.Port() == port {
					n++
				}
			}
			return n
		}
		ka0, err := net.InterfaceByName("ka0")
		require.NoError(t, err)
		assert.Equal(t, 1, count("fe80::1234", ports["ka0"]), "any interface")
		assert.Equal(t, 1, count("fe80::1234%ka0", ports["ka0"]))
		assert.Equal(t, 1, count(fmt.Sprintf("fe80::1234%%%d", ka0.Index), ports["ka0"]))
		assert.Zero(t, count("fe80::1234%ka1", ports["ka0"]))
		assert.Equal(t, 1, count("fe80::1234%ka1", ports["ka1"]))
		assert.Equal(t, 1, count(fmt.Sprintf("[fe80::1234%%ka0]:%d", ports["ka0"]), ports["ka0"]))
		assert.Zero(t, count(fmt.Sprintf("[fe80::1234%%ka1]:%d", ports["ka0"]), ports["ka0"]))
	})
}

// A program without descriptors is not one whose sock_diag is refused.
func TestAListWithoutDescriptorsSaysSo(t *testing.T) {
	t.Parallel()
	if !testkit.InChild(t, nil) {
		return
	}
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: 3}))
	n := 0
	for s, err := range inspect.List(inspect.Filter{}) {
		n++
		assert.Nil(t, s)
		assert.ErrorIs(t, err, unix.EMFILE)
		assert.NotContains(t, err.Error(), "/proc", "which was not to be asked")
	}
	assert.Equal(t, 1, n)
}
