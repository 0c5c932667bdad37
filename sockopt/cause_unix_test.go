//go:build unix

package sockopt_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestCauseOfErrno(t *testing.T) {
	t.Parallel()
	sys := func(call string, errno syscall.Errno) error { return os.NewSyscallError(call, errno) }
	for _, tt := range []struct {
		rule string
		err  error
		want sockopt.Cause
	}{
		{"keepalive ran out under a read", op("read", sys("read", syscall.ETIMEDOUT)), sockopt.PeerTimeout},
		{"retransmissions ran out under a write", op("write", sys("write", syscall.ETIMEDOUT)), sockopt.PeerTimeout},
		{"through net/http", &url.Error{Op: "Get", URL: "http://x", Err: op("read", sys("read", syscall.ETIMEDOUT))}, sockopt.PeerTimeout},
		{"nested OpErrors", op("read", op("read", sys("read", syscall.ETIMEDOUT))), sockopt.PeerTimeout},
		{"one of several errors", errors.Join(errors.New("x"), op("read", sys("read", syscall.ETIMEDOUT))), sockopt.PeerTimeout},
		{"a bare errno", syscall.ETIMEDOUT, sockopt.PeerTimeout},
		{"a proxy that is gone", op("proxyconnect", op("read", sys("read", syscall.ETIMEDOUT))), sockopt.PeerTimeout},
		{"a dial that timed out in the kernel", op("dial", sys("connect", syscall.ETIMEDOUT)), sockopt.DialFailed},
		{"a dial to a proxy that timed out in the kernel",
			&url.Error{Op: "Get", URL: "http://x", Err: op("proxyconnect", op("dial", sys("connect", syscall.ETIMEDOUT)))}, sockopt.DialFailed},
		{"a dial around a read", op("dial", op("read", sys("read", syscall.ETIMEDOUT))), sockopt.DialFailed},
		{"reset", op("read", sys("read", syscall.ECONNRESET)), sockopt.Reset},
		{"a write after a reset", op("write", sys("write", syscall.EPIPE)), sockopt.Reset},
		{"aborted", op("read", sys("read", syscall.ECONNABORTED)), sockopt.Reset},
		{"a dial that was reset", op("dial", sys("connect", syscall.ECONNRESET)), sockopt.DialFailed},
		{"a dial that was refused", op("dial", sys("connect", syscall.ECONNREFUSED)), sockopt.DialFailed},
		{"an error that says nothing about the peer", op("read", sys("read", syscall.ENOMEM)), sockopt.OtherCause},
		{"an accept without descriptors", op("accept", sys("accept4", syscall.EMFILE)), sockopt.OtherCause},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, sockopt.CauseOf(tt.err))
			assert.Equal(t, tt.want, sockopt.CauseOf(fmt.Errorf("a: %w", tt.err)), "wrapped")
		})
	}
}

// An ICMP error that arrived while data was in flight, or a Multipath TCP
// connection without a path (net/ipv4/tcp_ipv4.c, tcp_v4_err; net.mptcp.close_timeout).
// Elsewhere the same numbers say nothing about a connection's peer. "readfrom",
// "writeto" and "writev" are what net calls sendfile, splice and writev
// (net/tcpsock.go, net/writev_unix.go).
func TestCauseOfUnreachable(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENOTCONN} {
		for operation, want := range map[string]sockopt.Cause{
			"read": sockopt.PeerTimeout, "write": sockopt.PeerTimeout,
			"readfrom": sockopt.PeerTimeout, "writeto": sockopt.PeerTimeout, "writev": sockopt.PeerTimeout,
			"dial":   sockopt.DialFailed,
			"listen": sockopt.OtherCause, "accept": sockopt.OtherCause, "close": sockopt.OtherCause, "set": sockopt.OtherCause,
		} {
			t.Run(operation+"/"+errno.Error(), func(t *testing.T) {
				t.Parallel()
				assert.Equal(t, want, sockopt.CauseOf(op(operation, os.NewSyscallError("x", errno))))
			})
		}
		assert.Equal(t, sockopt.OtherCause, sockopt.CauseOf(errno), "a bare %v", errno)
		assert.Equal(t, sockopt.DialFailed, sockopt.CauseOf(op("proxyconnect", op("dial", errno))))
	}
}

func refusingAddress(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	address, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	return fmt.Sprintf("127.0.0.1:%d", address.(*syscall.SockaddrInet4).Port)
}

func TestCauseOfRealErrors(t *testing.T) {
	t.Parallel()
	read := func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err }
	write := func(c net.Conn) error { _, err := c.Write([]byte("x")); return err }
	pair := func(t *testing.T) (client, server *net.TCPConn) { return testkit.Pair(t, "tcp", "127.0.0.1:0") }
	reset := func(t *testing.T, c *net.TCPConn) {
		require.NoError(t, c.SetLinger(0))
		require.NoError(t, c.Close())
	}
	for _, tt := range []struct {
		rule string
		fail func(t *testing.T) error
		want sockopt.Cause
	}{
		{"nothing", func(t *testing.T) error { client, _ := pair(t); return write(client) }, sockopt.NoError},
		{"a refused dial", func(t *testing.T) error { _, err := net.Dial("tcp", refusingAddress(t)); return err }, sockopt.DialFailed},
		{"a dial without time", func(t *testing.T) error {
			_, err := (&net.Dialer{Deadline: time.Now().Add(-time.Second)}).Dial("tcp", "127.0.0.1:1")
			return err
		}, sockopt.DialFailed},
		{"a dial without time to a name", func(t *testing.T) error {
			_, err := (&net.Dialer{Deadline: time.Now().Add(-time.Second)}).Dial("tcp", "localhost:1")
			return err
		}, sockopt.DialFailed},
		{"http to nobody", func(t *testing.T) error { _, err := http.Get("http://" + refusingAddress(t)); return err }, sockopt.DialFailed},
		{"http over a proxy that is not there", func(t *testing.T) error {
			proxy := &url.URL{Scheme: "http", Host: refusingAddress(t)}
			client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
			_, err := client.Get("http://192.0.2.1/")
			require.ErrorContains(t, err, "proxyconnect")
			return err
		}, sockopt.DialFailed},
		{"a read deadline", func(t *testing.T) error {
			client, _ := pair(t)
			require.NoError(t, client.SetReadDeadline(time.Now().Add(-time.Second)))
			return read(client)
		}, sockopt.Deadline},
		{"a write deadline", func(t *testing.T) error {
			client, _ := pair(t)
			require.NoError(t, client.SetWriteDeadline(time.Now().Add(-time.Second)))
			return write(client)
		}, sockopt.Deadline},
		{"an http client's timeout", func(t *testing.T) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { l.Close() })
			_, err = (&http.Client{Timeout: 50 * time.Millisecond}).Get("http://" + l.Addr().String())
			return err
		}, sockopt.Deadline},
		{"RST", func(t *testing.T) error { client, server := pair(t); reset(t, server); return read(client) }, sockopt.Reset},
		{"a write after RST", func(t *testing.T) error {
			client, server := pair(t)
			reset(t, server)
			require.Error(t, read(client), "delivered once")
			err := write(client)
			require.ErrorIs(t, err, syscall.EPIPE)
			return err
		}, sockopt.Reset},
		{"RST through TLS", func(t *testing.T) error {
			client, server := pair(t)
			reset(t, server)
			return tls.Client(client, &tls.Config{ServerName: "x"}).Handshake()
		}, sockopt.Reset},
		{"FIN", func(t *testing.T) error {
			client, server := pair(t)
			require.NoError(t, server.Close())
			err := read(client)
			require.Equal(t, io.EOF, err)
			return err
		}, sockopt.EndOfStream},
		{"FIN through TLS", func(t *testing.T) error {
			client, server := pair(t)
			require.NoError(t, server.CloseWrite())
			return tls.Client(client, &tls.Config{ServerName: "x"}).Handshake()
		}, sockopt.EndOfStream},
		{"closed here", func(t *testing.T) error { client, _ := pair(t); client.Close(); return read(client) }, sockopt.Closed},
		{"a listener closed here", func(t *testing.T) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, l.Close())
			_, err = l.Accept()
			return err
		}, sockopt.Closed},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			err := tt.fail(t)
			assert.Equal(t, tt.want, sockopt.CauseOf(err), "%v", err)
		})
	}
}
