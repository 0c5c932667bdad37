package lab

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Functions that say which packets a wire loses.
var (
	everything = func(bool, []byte) bool { return true }
	nothing    = func(bool, []byte) bool { return false }
	toServer   = func(toServer bool, _ []byte) bool { return toServer }
	toClient   = func(toServer bool, _ []byte) bool { return !toServer }
)

// onWire connects a client and a server without keepalive over a wire, and lets them
// talk once.
func onWire(t *testing.T, w *Wire, client side) (c, server net.Conn) {
	t.Helper()
	l := listenOn(t, w.Server, WireServer+":0")
	require.NoError(t, w.Client.Do(func() (err error) {
		c, err = client.dial(l.Addr().String())
		return err
	}))
	t.Cleanup(func() { c.Close() })
	server, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	_, err = c.Write([]byte{1})
	require.NoError(t, err)
	_, err = server.Read(make([]byte, 1))
	require.NoError(t, err)
	acknowledged(t, c)
	return c, server
}

// acknowledged waits until the peer has acknowledged all data.
func acknowledged(t *testing.T, c net.Conn) {
	t.Helper()
	testkit.Until(t, "all is acknowledged", func() bool { return tcpInfo(t, c).Unacked == 0 })
}

// silentFor returns the time since the last segment was received.
func silentFor(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	info := tcpInfo(t, c)
	return time.Duration(min(info.Last_ack_recv, info.Last_data_recv)) * time.Millisecond
}

// listenOn listens without keepalive in a namespace.
func listenOn(t *testing.T, n *Namespace, address string) net.Listener {
	t.Helper()
	var l net.Listener
	require.NoError(t, n.Do(func() (err error) {
		l, err = plainSide.listen(address)
		return err
	}))
	t.Cleanup(func() { l.Close() })
	return l
}

// ends waits for the error of a connection.
func ends(c net.Conn, within time.Duration) error {
	c.SetReadDeadline(time.Now().Add(within))
	_, err := io.Copy(io.Discard, c)
	if err == nil {
		return io.EOF
	}
	return err
}

// boundsOf returns the bounds of a connection on a path with this round-trip time. A busy
// machine varies the round trip by more than the half for which the bounds allow, so they are
// computed for the retransmission timeout of the kernel, which is 3 round trips here.
func boundsOf(t *testing.T, c net.Conn, roundTrip time.Duration) timing.Detection {
	t.Helper()
	rto := time.Duration(tcpInfo(t, c).Rto) * time.Microsecond
	return boundsAt(t, c, max(roundTrip, rto/3))
}

// boundsAt returns the bounds for exactly this round-trip time.
func boundsAt(t *testing.T, c net.Conn, roundTrip time.Duration) timing.Detection {
	t.Helper()
	settings, err := sockopt.Get(c)
	require.NoError(t, err)
	bounds, err := timing.DetectionBounds(settings, timing.Conditions{RTT: roundTrip, UserTimeoutBeforeConnect: true})
	require.NoError(t, err)
	return bounds
}

// settle writes until the kernel has measured a round trip that is no longer than the longest
// delay of an acknowledgement. On a busy machine the round trip of the first segments is
// longer.
func settle(t *testing.T, c net.Conn) {
	t.Helper()
	testkit.Until(t, "a short round trip is measured", func() bool {
		_, err := c.Write([]byte{1})
		require.NoError(t, err)
		time.Sleep(10 * time.Millisecond)
		return time.Duration(tcpInfo(t, c).Rtt)*time.Microsecond < 45*time.Millisecond
	})
}

// fill writes until the peer, which does not read, has closed its window.
func fill(t *testing.T, c net.Conn) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		require.NoError(t, c.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
		_, err := c.Write(make([]byte, 1<<20))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		info := tcpInfo(t, c)
		if info.Snd_wnd == 0 && info.Unacked == 0 {
			return
		}
		require.True(t, time.Now().Before(end), "the window does not close")
	}
}

func tcpInfo(t *testing.T, c net.Conn) (info *unix.TCPInfo) {
	t.Helper()
	raw := rawConn(t, c)
	var err error
	require.NoError(t, raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}))
	require.NoError(t, err)
	return info
}

// rawConn returns the syscall.RawConn of a connection, pinned or not.
func rawConn(t *testing.T, c net.Conn) syscall.RawConn {
	t.Helper()
	raw, err := socket.RawConn(c)
	require.NoError(t, err)
	return raw
}
