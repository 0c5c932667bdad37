package sockopt_test

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func plainListener(t testing.TB) *net.TCPListener {
	t.Helper()
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener)
}

func dialAndAccept(t testing.TB, l net.Listener) *net.TCPConn {
	t.Helper()
	client, err := net.Dial(l.Addr().Network(), l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return testkit.Accept(t, l, client).(*net.TCPConn)
}

// named is a connection as frameworks wrap them.
type named struct {
	net.Conn
	below net.Conn
}

func (n *named) NetConn() net.Conn { return n.below }

// cyclic finds itself below itself.
type cyclic struct{ net.Conn }

func (c *cyclic) NetConn() net.Conn { return c }

// both has both methods; the shorter way is taken.
type both struct {
	*net.TCPConn
	t *testing.T
}

func (b both) NetConn() net.Conn { b.t.Error("NetConn called"); return nil }

// broken has a socket that it does not give.
type broken struct{ err error }

func (b broken) SyscallConn() (syscall.RawConn, error) { return nil, b.err }

func nested(conn net.Conn, times int) net.Conn {
	for range times {
		conn = &named{below: conn}
	}
	return conn
}

func TestWhatIsLookedThrough(t *testing.T) {
	t.Parallel()
	cfg := sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	want := testkit.Values{KeepAlive: 1, Idle: 60, Interval: 10, Count: 3, UserTimeout: 90000}
	tlsClient, tlsServer, tlsClientTCP, tlsServerTCP := tlsPair(t)
	conn := func() *net.TCPConn { c, _ := testkit.Pair(t, "tcp", "127.0.0.1:0"); return c }
	rawConn := func(c syscall.Conn) syscall.RawConn { rc, err := c.SyscallConn(); require.NoError(t, err); return rc }
	file := func(c *net.TCPConn) *os.File {
		f, err := c.File()
		require.NoError(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	for _, tt := range []struct {
		rule string
		wrap func(*net.TCPConn) any
		conn *net.TCPConn // nil: a new one
	}{
		{rule: "a TCP connection", wrap: func(c *net.TCPConn) any { return c }},
		{rule: "a tls.Conn, client", wrap: func(*net.TCPConn) any { return tlsClient }, conn: tlsClientTCP},
		{rule: "a tls.Conn, server", wrap: func(*net.TCPConn) any { return tlsServer }, conn: tlsServerTCP},
		{rule: "a struct around *net.TCPConn", wrap: func(c *net.TCPConn) any { return struct{ *net.TCPConn }{c} }},
		{rule: "a pointer to such a struct", wrap: func(c *net.TCPConn) any { return &struct{ *net.TCPConn }{c} }},
		{rule: "a wrapper with NetConn", wrap: func(c *net.TCPConn) any { return nested(c, 1) }},
		{rule: "as many wrappers as are allowed", wrap: func(c *net.TCPConn) any { return nested(c, socket.MaxUnwrap-1) }},
		{rule: "SyscallConn before NetConn", wrap: func(c *net.TCPConn) any { return both{c, t} }},
		{rule: "a pinned connection", wrap: func(c *net.TCPConn) any { return sockopt.Pin(c) }},
		{rule: "a wrapper around a pinned connection", wrap: func(c *net.TCPConn) any { return nested(sockopt.Pin(c), 1) }},
		{rule: "a RawConn", wrap: func(c *net.TCPConn) any { return rawConn(c) }},
		{rule: "a file that shares the socket", wrap: func(c *net.TCPConn) any { return file(c) }},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			tcp := tt.conn
			if tcp == nil {
				tcp = conn()
			}
			preset(t, tcp, untouched)
			wrapped := tt.wrap(tcp)
			kind, err := socket.KindOf(wrapped)
			require.NoError(t, err)
			assert.Equal(t, kernel.TCP, kind)
			require.NoError(t, sockopt.Set(wrapped, cfg))
			assert.Equal(t, want, testkit.Read(t, tcp))
			got, err := sockopt.Get(wrapped)
			require.NoError(t, err)
			assert.Equal(t, settings(want), got)
			rc, err := socket.RawConn(wrapped)
			require.NoError(t, err)
			require.NoError(t, sockopt.Set(rc, sockopt.Config{Count: 5}))
			assert.Equal(t, 5, testkit.Read(t, tcp).Count)
			got, err = sockopt.Get(rc)
			require.NoError(t, err)
			assert.Equal(t, 5, got.Count)
		})
	}
}

// entryPoints are all functions that find the socket below something.
var entryPoints = map[string]func(c any) error{
	"Set":        func(c any) error { return sockopt.Set(c, sockopt.Config{}) },
	"Get":        func(c any) error { _, err := sockopt.Get(c); return err },
	"RawConn":    func(c any) error { _, err := socket.RawConn(c); return err },
	"Setter.Set": func(c any) error { s, _ := socket.OS{}.NewSetter(kernel.Request(sockopt.Config{})); return s.Set(c) },
}

// begin returns how the errors of an entry point begin: public functions name the package.
func begin(entryPoint string) string {
	if entryPoint == "Set" || entryPoint == "Get" {
		return "sockopt: "
	}
	return ""
}

func TestNoSocket(t *testing.T) {
	t.Parallel()
	tcp, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	pipe, _ := net.Pipe()
	const none = ": no access to a socket: "
	for _, tt := range []struct {
		rule string
		c    any
		want string
	}{
		{"nil", nil, "<nil>" + none + "it holds no connection (nil)"},
		{"a nil interface", net.Conn(nil), "<nil>" + none + "it holds no connection (nil)"},
		{"nil *net.TCPConn", (*net.TCPConn)(nil), "*net.TCPConn" + none + "*net.TCPConn is nil or was never opened"},
		{"a *net.TCPConn never opened", &net.TCPConn{}, "*net.TCPConn" + none + "*net.TCPConn is nil or was never opened"},
		{"nil *net.TCPListener", (*net.TCPListener)(nil), "*net.TCPListener" + none + "*net.TCPListener is nil or was never opened"},
		{"nil *tls.Conn", (*tls.Conn)(nil), "*tls.Conn" + none + "*tls.Conn is nil"},
		{"nil *os.File", (*os.File)(nil), "*os.File" + none + "*os.File is nil"},
		{"a struct around nil *net.TCPConn", struct{ *net.TCPConn }{}, "struct { *net.TCPConn }" + none + "struct { *net.TCPConn } is nil or was never opened"},
		{"a struct around a *net.TCPConn never opened", struct{ *net.TCPConn }{&net.TCPConn{}}, "struct { *net.TCPConn }" + none + "struct { *net.TCPConn } is nil or was never opened"},
		{"a wrapper around nothing", &named{}, "*sockopt_test.named" + none + "it holds no connection (nil)"},
		{"a wrapper around nil *net.TCPConn", &named{below: (*net.TCPConn)(nil)}, "*sockopt_test.named" + none + "*net.TCPConn is nil or was never opened"},
		{"a nil wrapper", (*named)(nil), "*sockopt_test.named" + none + "*sockopt_test.named is nil"},
		{"a struct around net.Conn hides the socket", struct{ net.Conn }{tcp}, "struct { net.Conn }" + none + "struct { net.Conn } has neither SyscallConn nor NetConn"},
		{"a pipe in memory", pipe, "*net.pipe" + none + "*net.pipe has neither SyscallConn nor NetConn"},
		{"TLS over a pipe", tls.Client(pipe, &tls.Config{ServerName: "x"}), "*tls.Conn" + none + "*net.pipe has neither SyscallConn nor NetConn"},
		{"a TLS listener hides the socket", tls.NewListener(plainListener(t), &tls.Config{Certificates: make([]tls.Certificate, 1)}), "*tls.listener" + none + "*tls.listener has neither SyscallConn nor NetConn"},
		{"a number", 7, "int" + none + "int has neither SyscallConn nor NetConn"},
		{"a wrapper around itself", &cyclic{}, "*sockopt_test.cyclic" + none + "more than 16 connections wrapped in each other"},
		{"too many wrappers", nested(tcp, socket.MaxUnwrap), "*sockopt_test.named" + none + "more than 16 connections wrapped in each other"},
	} {
		for name, call := range entryPoints {
			t.Run(tt.rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				var err error
				require.NotPanics(t, func() { err = call(tt.c) })
				assert.ErrorIs(t, err, sockopt.ErrNoSocket)
				assert.NotErrorIs(t, err, sockopt.ErrNotTCP)
				assert.EqualError(t, err, begin(name)+tt.want)
			})
		}
		t.Run(tt.rule+"/KindOf", func(t *testing.T) {
			t.Parallel()
			require.NotPanics(t, func() {
				_, err := socket.KindOf(tt.c)
				assert.ErrorIs(t, err, sockopt.ErrNoSocket)
			})
		})
	}
}

func TestSyscallConnFails(t *testing.T) {
	t.Parallel()
	for name, call := range entryPoints {
		err := call(broken{net.ErrClosed})
		assert.ErrorIs(t, err, net.ErrClosed, name)
		assert.EqualError(t, err, begin(name)+"sockopt_test.broken: use of closed network connection", name)
	}
}

// SO_KEEPALIVE "succeeds" on sockets that are not TCP (net/core/sock.c), so they
// must be refused before.
func TestNotTCP(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	unixListener, err := net.Listen("unix", path)
	require.NoError(t, err)
	t.Cleanup(func() { unixListener.Close() })
	unixConn, err := net.Dial("unix", path)
	require.NoError(t, err)
	t.Cleanup(func() { unixConn.Close() })
	udp, err := net.Dial("udp", "127.0.0.1:9")
	require.NoError(t, err)
	t.Cleanup(func() { udp.Close() })
	udpFile, err := udp.(*net.UDPConn).File()
	require.NoError(t, err)
	t.Cleanup(func() { udpFile.Close() })
	rc, err := unixConn.(*net.UnixConn).SyscallConn()
	require.NoError(t, err)
	rows := map[string]any{
		"unix connection":               unixConn,
		"unix listener":                 unixListener,
		"UDP":                           udp,
		"a RawConn":                     rc,
		"a struct around *net.UnixConn": struct{ *net.UnixConn }{unixConn.(*net.UnixConn)},
		"a wrapper around UDP":          nested(udp, 2),
		"a file of a UDP socket":        udpFile,
		"nil *net.UnixConn":             (*net.UnixConn)(nil),
		"nil *net.UnixListener":         (*net.UnixListener)(nil),
		"nil *net.UDPConn":              (*net.UDPConn)(nil),
		"nil *net.IPConn":               (*net.IPConn)(nil),
	}
	if os.Geteuid() == 0 {
		ip, err := net.Dial("ip4:253", "127.0.0.1") // RFC 3692: for experiments
		require.NoError(t, err)
		t.Cleanup(func() { ip.Close() })
		rows["a raw IP socket"] = ip
	}
	for rule, c := range rows {
		for name, call := range entryPoints {
			t.Run(rule+"/"+name, func(t *testing.T) {
				err := call(c)
				assert.ErrorIs(t, err, sockopt.ErrNotTCP)
				assert.NotErrorIs(t, err, sockopt.ErrNoSocket)
				assert.ErrorContains(t, err, "not a TCP socket")
			})
		}
		t.Run(rule+"/KindOf", func(t *testing.T) {
			kind, err := socket.KindOf(c)
			assert.NoError(t, err)
			assert.Equal(t, kernel.NotTCP, kind)
		})
	}
	for _, c := range []syscall.Conn{unixConn.(syscall.Conn), unixListener.(syscall.Conn), udp.(syscall.Conn)} {
		assert.Zero(t, intOption(t, c, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE), "%T was touched", c)
	}
}

// What is no socket at all has no TCP socket below it either.
func TestFilesThatAreNoSocket(t *testing.T) {
	t.Parallel()
	regular, err := os.Create(filepath.Join(t.TempDir(), "f"))
	require.NoError(t, err)
	defer regular.Close()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	defer reader.Close()
	defer writer.Close()
	for rule, f := range map[string]*os.File{"a regular file": regular, "a pipe": reader} {
		for name, call := range entryPoints {
			t.Run(rule+"/"+name, func(t *testing.T) {
				err := call(f)
				assert.ErrorIs(t, err, sockopt.ErrNoSocket)
				assert.ErrorIs(t, err, syscall.ENOTSOCK)
			})
		}
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	tlsClient, _, _, _ := tlsPair(t)
	tcp, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	rc, err := tcp.SyscallConn()
	require.NoError(t, err)
	l := plainListener(t)
	for _, c := range []interface{ Close() error }{tlsClient, tcp, l} {
		require.NoError(t, c.Close())
	}
	for rule, c := range map[string]any{
		"a connection": tcp, "a listener": l, "a pinned connection": sockopt.Pin(tcp),
		"a RawConn": rc, "a tls.Conn": tlsClient, "a wrapper": nested(tcp, 1),
	} {
		for name, call := range entryPoints {
			if name == "RawConn" && rule != "a RawConn" && rule != "a pinned connection" {
				continue // the type says TCP, so the socket is not visited
			}
			t.Run(rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				err := call(c)
				assert.ErrorIs(t, err, net.ErrClosed)
				assert.Equal(t, sockopt.Closed, sockopt.CauseOf(err))
			})
		}
		t.Run(rule+"/KindOf", func(t *testing.T) {
			t.Parallel()
			_, err := socket.KindOf(c)
			assert.ErrorIs(t, err, net.ErrClosed)
		})
	}
	t.Run("a socket found before", func(t *testing.T) {
		t.Parallel()
		_, err := sockopt.Get(rc)
		assert.ErrorIs(t, err, net.ErrClosed)
		assert.ErrorContains(t, err, "sockopt: raw-control tcp ")
		assert.ErrorContains(t, err, ": use of closed network connection")
		assert.ErrorIs(t, sockopt.Set(rc, sockopt.Config{}), net.ErrClosed)
	})
}
