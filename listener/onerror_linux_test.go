package listener_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
)

// Not parallel: it counts descriptors and goroutines.
func TestTenThousandAcceptsWithErrors(t *testing.T) {
	const accepts, clients = 10_000, 16
	leaks := testkit.StartLeakCheck(t)
	var count, wrong atomic.Int32
	lc := (&listener.ListenConfig{Config: asked, OnError: func(c net.Conn, err error) {
		if c == nil || !strings.Contains(err.Error(), "TCP_KEEPCNT=3") {
			wrong.Add(1)
		}
		count.Add(1)
	}}).On(socket.OS{Calls: refusing(isAccepted, unix.EPERM, platform.Count)})
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := lc.Wrap(inner)
	require.NoError(t, err)

	// The server greets, the client resets: no TIME_WAIT on either side, and no
	// reset can overtake the end of connect.
	var accepted atomic.Int32
	var servers, dialers sync.WaitGroup
	servers.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				assert.ErrorIs(t, err, net.ErrClosed)
				return
			}
			accepted.Add(1)
			servers.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(20 * time.Second))
				c.Write([]byte("x"))
				io.Copy(io.Discard, c)
			})
		}
	})
	for range clients {
		dialers.Go(func() {
			d := net.Dialer{KeepAlive: -1, Timeout: 10 * time.Second}
			for range accepts / clients {
				c, err := d.Dial("tcp4", l.Addr().String())
				if !assert.NoError(t, err) {
					return
				}
				c.SetDeadline(time.Now().Add(20 * time.Second))
				_, err = io.ReadFull(c, make([]byte, 1))
				assert.NoError(t, err)
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
		})
	}
	dialers.Wait()
	require.NoError(t, l.Close())
	servers.Wait()
	assert.EqualValues(t, accepts, accepted.Load())
	assert.EqualValues(t, accepts, count.Load())
	assert.Zero(t, wrong.Load())
	leaks.End(t)
}
