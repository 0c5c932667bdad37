package align_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/freeport"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// TestProbesDoNotKeepAServer is why a server timeout is a kind of its own: a real server
// ends a connection although probes are answered on it, because its kernel answers them. It
// keeps one on which the client asks.
func TestProbesDoNotKeepAServer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule  string
		start func(t *testing.T) (address, question string)
	}{
		{"net/http", func(t *testing.T) (string, string) {
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			require.NoError(t, err)
			s := &http.Server{Handler: http.NotFoundHandler(), IdleTimeout: idleTimeout}
			go s.Serve(l)
			t.Cleanup(func() { s.Close() })
			return l.Addr().String(), "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
		}},
		{"Redis", func(t *testing.T) (string, string) {
			free, err := freeport.Find()
			require.NoError(t, err)
			port := fmt.Sprint(free)
			cmd := exec.Command(testkit.Tool(t, "redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(),
				"--timeout", fmt.Sprint(int(idleTimeout.Seconds())), "--tcp-keepalive", "0")
			testkit.Start(t, cmd)
			return "127.0.0.1:" + port, "PING\r\n"
		}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			address, question := tt.start(t)
			lives := make(chan func())
			for _, asks := range []bool{false, true} {
				c := dialTCP(t, address)
				require.NoError(t, sockopt.Set(c, sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 9}))
				require.NoError(t, ask1(c, question))
				before := received(t, c)
				go func() {
					got := livesIdle(c, question, asks)
					lives <- func() {
						assert.Equal(t, asks, got, "it asks: %t", asks)
						assert.GreaterOrEqual(t, received(t, c)-before, uint32(2), "the answer to a probe, or to a question, and the end")
					}
				}()
			}
			(<-lives)()
			(<-lives)()
		})
	}
}

func dialTCP(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	var conn net.Conn
	testkit.Until(t, "the server listens", func() bool {
		var err error
		conn, err = net.Dial("tcp4", address)
		return err == nil
	})
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// received returns how many segments a connection has received.
func received(t *testing.T, c *net.TCPConn) (segments uint32) {
	t.Helper()
	raw, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if assert.NoError(t, err) {
			segments = info.Segs_in
		}
	}))
	return segments
}

// ask1 sends a question, and reads the first line of the answer.
func ask1(c net.Conn, question string) error {
	if _, err := io.WriteString(c, question); err != nil {
		return err
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := bufio.NewReader(c).ReadString('\n')
	return err
}

// livesIdle returns whether a connection outlives two timeouts, on which probes are sent
// and, if it asks, questions.
func livesIdle(c net.Conn, question string, asks bool) bool {
	if !asks {
		c.SetReadDeadline(time.Now().Add(10 * idleTimeout)) // a late timeout is no sign of life
		_, err := io.Copy(io.Discard, c)
		return err != nil && strings.Contains(err.Error(), "timeout")
	}
	for range 20 {
		time.Sleep(idleTimeout / 10) // two timeouts, in ten times as many steps
		if ask1(c, question) != nil {
			return false
		}
	}
	return true
}
