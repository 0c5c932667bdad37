package sockdiag

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

const (
	stateEstablished = 1
	timerKeepAlive   = 2
)

func identify(t *testing.T, c syscall.Conn) (id ID, ns uint64) {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		id, err = Identify(int(fd))
		ns = NamespaceOf(int(fd))
	}))
	require.NoError(t, err)
	return id, ns
}

// lookup copies the answer, which lies in the Conn's buffer.
func lookup(t *testing.T, c syscall.Conn) (Message, error) {
	t.Helper()
	id, ns := identify(t, c)
	conn, err := Borrow(ns)
	require.NoError(t, err)
	defer conn.Return()
	m, err := conn.Lookup(&id, 0)
	return slices.Clone(m), err
}

func setIdle(t *testing.T, c *net.TCPConn, idle time.Duration) {
	t.Helper()
	require.NoError(t, c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: idle, Interval: -1, Count: -1}))
}

func TestLookupFindsTheTimerOfExactlyThisSocket(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", testkit.Mapped} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			client, server := testkit.Pair(t, "tcp", address)
			setIdle(t, client, 100*time.Second)
			for _, c := range []*net.TCPConn{client, server} {
				m, err := lookup(t, c)
				require.NoError(t, err)
				assert.EqualValues(t, stateEstablished, m.State())
				local, remote := c.LocalAddr().(*net.TCPAddr).AddrPort(), c.RemoteAddr().(*net.TCPAddr).AddrPort()
				assert.Equal(t, local.Port(), m.Local().Port())
				assert.Equal(t, remote.Port(), m.Remote().Port())
				assert.Equal(t, local.Addr().Unmap(), m.Local().Addr().Unmap())
				assert.NotZero(t, m.Inode())
				if c == server {
					assert.EqualValues(t, 0, m.Timer(), "nobody switched keepalive on")
					continue
				}
				assert.EqualValues(t, timerKeepAlive, m.Timer())
				assert.InDelta(t, 100, m.Expires().Seconds(), 5)
				assert.Zero(t, m.Retrans())
			}
		})
	}
}

func TestLookupOfMultipathTCPFindsTheSubflow(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	var lc net.ListenConfig
	lc.SetMultipathTCP(true)
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	d := net.Dialer{KeepAlive: 100 * time.Second}
	d.SetMultipathTCP(true)
	c, err := d.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	m, err := lookup(t, c.(*net.TCPConn))
	require.NoError(t, err)
	assert.EqualValues(t, timerKeepAlive, m.Timer())
	assert.InDelta(t, 100, m.Expires().Seconds(), 5)
}

func TestLookupOfAResetConnectionIsNotTheListener(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	server := testkit.Accept(t, l, c)
	id, ns := identify(t, server.(*net.TCPConn))
	require.NoError(t, c.(*net.TCPConn).SetLinger(0))
	require.NoError(t, c.Close())
	_, err = server.Read(make([]byte, 1))
	require.ErrorIs(t, err, unix.ECONNRESET)
	conn, err := Borrow(ns)
	require.NoError(t, err)
	defer conn.Return()
	_, err = conn.Lookup(&id, 0)
	require.ErrorIs(t, err, ErrNotFound)
	id.Cookie = NoCookie
	_, err = conn.Lookup(&id, 0)
	require.Error(t, err, "the 4-tuple is gone; its local port still has a listener")
	works, err := conn.Works()
	require.NoError(t, err)
	assert.True(t, works)
}

// The kernel would answer a request of anybody for a device-bound socket only if
// the device is named.
func TestLookupOfASocketBoundToADevice(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) { err = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "lo") }))
	testkit.Need(t, err == nil, "needs permission for SO_BINDTODEVICE")
	m, err := lookup(t, client)
	require.NoError(t, err)
	assert.NotZero(t, m.Device())
}

// A kernel without the module answers every question with ENOENT. So does this
// one about a protocol that nobody answers for.
func TestAKernelThatFindsNothingDoesNotWork(t *testing.T) {
	t.Parallel()
	c, err := Open()
	require.NoError(t, err)
	defer c.Close()
	const nobodyAnswers = 200
	works, err := c.answersAbout(nobodyAnswers)
	require.NoError(t, err)
	assert.False(t, works)
	works, err = c.Works()
	require.NoError(t, err)
	assert.True(t, works)
}

// Not parallel: it looks at all that is open.
func TestAQuestionOpensNothing(t *testing.T) {
	testkit.InNamespace(t, func() { // without a socket
		c, err := Open()
		require.NoError(t, err)
		defer c.Close()
		// Whoever could listen, could only on the one port there is.
		require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40000"), 0))
		taken, err := net.Listen("tcp", ":40000")
		require.NoError(t, err)
		defer taken.Close()
		works, err := c.Works()
		require.NoError(t, err)
		assert.True(t, works)
	})
}

func TestAFilterThatIsTooLongIsAnError(t *testing.T) {
	t.Parallel()
	c, err := Open()
	require.NoError(t, err)
	defer c.Close()
	never := Ports(Local, 1, 0)
	for len(never) < MaxFilter-100 {
		never = Or(never, never)
	}
	require.Greater(t, len(never), MaxFilter, "the test's own arithmetic")
	assert.ErrorContains(t, c.Dump(&Query{States: math.MaxUint32, Filter: never}, nil), "too long")
	assert.False(t, c.broken, "nothing was asked")
}

func TestBorrowedConnsAreUsedAgainInTheirNamespaceOnly(t *testing.T) {
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	_, ns := identify(t, client)
	testkit.Need(t, ns != 0, "needs Linux 5.14, which tells network namespaces apart")
	first, err := Borrow(ns)
	require.NoError(t, err)
	fd := first.fd
	first.Return()
	second, err := Borrow(ns)
	require.NoError(t, err)
	assert.Equal(t, fd, second.fd)
	second.broken = true
	second.Return()
	third, err := Borrow(ns)
	require.NoError(t, err)
	assert.False(t, third.broken)
	third.Return()
	_, err = Borrow(ns + 1)
	assert.ErrorIs(t, err, ErrOtherNamespace)

	var many []*Conn
	for range maxIdle + 3 {
		c, err := Borrow(ns)
		require.NoError(t, err)
		many = append(many, c)
	}
	for _, c := range many {
		c.Return()
	}
	idle.Lock()
	assert.LessOrEqual(t, idle.n, maxIdle)
	idle.Unlock()
}

func TestNobodyButTheKernelAnswers(t *testing.T) {
	testkit.Root(t)
	c, err := Open()
	require.NoError(t, err)
	defer c.Close()
	name, err := unix.Getsockname(c.fd)
	require.NoError(t, err)
	other, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	require.NoError(t, err)
	defer unix.Close(other)
	err = unix.Sendto(other, reply(nil), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: name.(*unix.SockaddrNetlink).Pid})
	assert.ErrorIs(t, err, unix.ECONNREFUSED)
}

func TestAStoppedDumpEndsTheConn(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := Open()
	require.NoError(t, err)
	defer c.Close()
	n := 0
	err = c.Dump(&Query{States: math.MaxUint32}, func(Message) bool { n++; return false })
	assert.True(t, Stopped(err))
	assert.Equal(t, 1, n)
	assert.True(t, c.broken)
}

func TestBothFamiliesInOneDump(t *testing.T) {
	testkit.NeedIPv6(t)
	pairs := map[[2]uint16]bool{} // ports of both ends: others may have one of them, too
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		client, _ := testkit.Pair(t, "tcp", address)
		local, remote := client.LocalAddr().(*net.TCPAddr).AddrPort(), client.RemoteAddr().(*net.TCPAddr).AddrPort()
		pairs[[2]uint16{local.Port(), remote.Port()}] = true
	}
	count := func(family uint8) (n int) {
		c, err := Open()
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.Dump(&Query{Family: family, States: 1 << stateEstablished}, func(m Message) bool {
			if pairs[[2]uint16{m.Local().Port(), m.Remote().Port()}] {
				n++
			}
			return true
		}))
		return n
	}
	assert.Equal(t, 1, count(unix.AF_INET))
	assert.Equal(t, 1, count(unix.AF_INET6))
	assert.Equal(t, 2, count(BothFamilies))
}

func TestLookupDoesNotAllocate(t *testing.T) {
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	id, ns := identify(t, client)
	c, err := Borrow(ns)
	require.NoError(t, err)
	defer c.Return()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := c.Lookup(&id, 0); err != nil {
			panic(err)
		}
	}))
}

// A condition is a Filter and what it should mean.
type condition struct {
	text   string
	filter Filter
	means  func(local, remote netip.AddrPort) bool
}

func ports(side Side, low, high uint16) condition {
	return condition{
		fmt.Sprintf("%d port %d-%d", side, low, high), Ports(side, low, high),
		func(local, remote netip.AddrPort) bool {
			p := local.Port()
			if side == Remote {
				p = remote.Port()
			}
			return p >= low && p <= high
		},
	}
}

func prefix(side Side, s string) condition {
	p := netip.MustParsePrefix(s)
	return condition{
		fmt.Sprintf("%d in %s", side, s), Prefix(side, p),
		func(local, remote netip.AddrPort) bool {
			a := local.Addr()
			if side == Remote {
				a = remote.Addr()
			}
			if p.Addr().Is4() {
				a = a.Unmap()
			}
			return p.Contains(a)
		},
	}
}

func and(a, b condition) condition {
	return condition{"(" + a.text + " and " + b.text + ")", And(a.filter, b.filter),
		func(l, r netip.AddrPort) bool { return a.means(l, r) && b.means(l, r) }}
}

func or(a, b condition) condition {
	return condition{"(" + a.text + " or " + b.text + ")", Or(a.filter, b.filter),
		func(l, r netip.AddrPort) bool { return a.means(l, r) || b.means(l, r) }}
}

// The kernel runs each program on connections of all kinds, and lets exactly
// those pass that a plain comparison does.
func TestFilters(t *testing.T) {
	testkit.NeedIPv6(t)
	mine := map[netip.AddrPort]netip.AddrPort{} // local to remote
	var known []uint16
	for _, address := range []string{"127.0.0.1:0", "127.0.0.2:0", "127.200.3.4:0", "[::1]:0", testkit.Mapped} {
		client, server := testkit.Pair(t, "tcp", address)
		for _, c := range []*net.TCPConn{client, server} {
			m, err := lookup(t, c)
			require.NoError(t, err)
			mine[m.Local()] = m.Remote()
			known = append(known, m.Local().Port())
		}
	}
	check := func(c condition) {
		got := map[netip.AddrPort]bool{}
		conn, err := Open()
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.Dump(&Query{States: 1 << stateEstablished, Filter: c.filter}, func(m Message) bool {
			if mine[m.Local()] == m.Remote() {
				got[m.Local()] = true
			}
			return true
		}), c.text)
		for local, remote := range mine {
			assert.Equal(t, c.means(local, remote), got[local], "%v -> %v: %s", local, remote, c.text)
		}
	}
	simple := []condition{
		prefix(Local, "127.0.0.1/32"), prefix(Remote, "127.0.0.2/32"), prefix(Local, "127.0.0.0/8"), prefix(Remote, "127.0.0.0/15"),
		prefix(Local, "0.0.0.0/0"), prefix(Local, "::1/128"), prefix(Remote, "::/0"), prefix(Local, "2001:db8::/32"), prefix(Remote, "127.200.0.0/13"),
		ports(Local, 1, 65535), ports(Remote, 1, 1023), ports(Local, 0, 0),
	}
	for _, p := range known {
		simple = append(simple, ports(Local, p, p), ports(Remote, p, p), ports(Remote, 1, p), ports(Local, p, 65535))
	}
	for _, c := range simple {
		check(c)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var tree func(depth int) condition
	tree = func(depth int) condition {
		switch n := random.IntN(4); {
		case depth == 0 || n == 0:
			return simple[random.IntN(len(simple))]
		case n == 1:
			return or(tree(depth-1), tree(depth-1))
		default:
			return and(tree(depth-1), tree(depth-1))
		}
	}
	for range 300 {
		check(tree(4))
	}
	assert.Empty(t, Or(Filter{}, simple[0].filter), "anything or something is anything")
	runtime.KeepAlive(mine)
}
