package sockdiag_test

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/internal/testenv"
)

const established = 1

func lookup(t *testing.T, c syscall.Conn) (s sockdiag.Socket, err error) {
	t.Helper()
	rc, scErr := c.SyscallConn()
	require.NoError(t, scErr)
	require.NoError(t, rc.Control(func(fd uintptr) { s, err = sockdiag.Lookup(fd) }))
	return s, err
}

func setIdle(t *testing.T, c *net.TCPConn, idle time.Duration) {
	t.Helper()
	require.NoError(t, c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: idle, Interval: -1, Count: -1}))
}

func TestLookupFindsTheTimerOfExactlyThisSocket(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			client, server := socktest.Pair(t, "tcp", address)
			setIdle(t, client, 100*time.Second)
			for _, c := range []*net.TCPConn{client, server} {
				s, err := lookup(t, c)
				require.NoError(t, err)
				assert.EqualValues(t, established, s.State)
				assert.Equal(t, unmapped(c.LocalAddr()), s.Local)
				assert.Equal(t, unmapped(c.RemoteAddr()), s.Remote)
				assert.NotZero(t, s.Inode)
				if c == server {
					assert.Equal(t, sockdiag.Off, s.Timer, "nobody switched keepalive on")
					continue
				}
				assert.Equal(t, sockdiag.KeepAlive, s.Timer)
				assert.InDelta(t, 100, s.Left.Seconds(), 5)
				assert.Zero(t, s.Unanswered)
			}
		})
	}
}

func TestLookupOfMultipathTCPFindsTheSubflow(t *testing.T) {
	t.Parallel()
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
	multipath, err := c.(*net.TCPConn).MultipathTCP()
	require.NoError(t, err)
	testenv.Need(t, multipath, "needs a kernel with Multipath TCP")
	s, err := lookup(t, c.(*net.TCPConn))
	require.NoError(t, err)
	assert.Equal(t, sockdiag.KeepAlive, s.Timer)
	assert.InDelta(t, 100, s.Left.Seconds(), 5)
}

func TestLookupOfAResetConnectionIsNotTheListener(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	server, err := l.Accept()
	require.NoError(t, err)
	defer server.Close()
	require.NoError(t, c.(*net.TCPConn).SetLinger(0))
	require.NoError(t, c.Close())
	_, err = server.Read(make([]byte, 1))
	require.ErrorIs(t, err, unix.ECONNRESET)
	_, err = lookup(t, server.(*net.TCPConn))
	require.Error(t, err, "the 4-tuple is gone; its local port still has a listener")
}

func unmapped(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
