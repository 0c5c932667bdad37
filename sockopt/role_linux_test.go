package sockopt_test

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// linuxAs is Linux' table with what another system does to listening sockets.
func linuxAs(t *platform.Table) *kernel.Rules {
	linux := *kernel.Current()
	linux.Title, linux.ArmsListener, linux.ListenerSource = t.Title, t.ArmsListener, t.ListenerSource
	return &linux
}

// A struct with a SyscallConn method that is neither net.Conn nor net.Listener:
// only the kernel knows what it is.
type bareSocket struct{ syscall.Conn }

// On macOS and NetBSD an option set on a listening socket ends it, and on some systems this
// is not known: there Set refuses, whatever gives access to the listening socket. A
// connection gets its options on all systems.
func TestListenersAreRefusedWhereAnOptionMayEndThem(t *testing.T) {
	t.Parallel()
	cfg := sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3}
	for _, tbl := range platform.Tables() {
		t.Run(tbl.Name, func(t *testing.T) {
			t.Parallel()
			k := kerneltest.Running()
			other := socket.OS{Calls: k, Table: linuxAs(tbl)}
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			tcp := l.(*net.TCPListener)
			rc, err := tcp.SyscallConn()
			require.NoError(t, err)
			setter, err := other.NewSetter(kernel.Request(cfg))
			require.NoError(t, err)
			for way, err := range map[string]error{
				"a *net.TCPListener":   sockopt.SetOn(other, l, cfg),
				"a listener wrapped":   sockopt.SetOn(other, struct{ *net.TCPListener }{tcp}, cfg),
				"its RawConn":          sockopt.SetOn(other, rc, cfg),
				"another syscall.Conn": sockopt.SetOn(other, bareSocket{tcp}, cfg),
				"a Setter":             setter.Set(l),
			} {
				if tbl.ArmsListener == platform.No {
					assert.NoError(t, err, way)
					continue
				}
				require.ErrorIs(t, err, errors.ErrUnsupported, way)
				assert.ErrorContains(t, err, kernel.RulesOf(tbl).ListenerHarm(), way)
				assert.ErrorContains(t, err, "use listener.ListenConfig or listener.Wrap", way)
			}
			assert.Equal(t, tbl.ArmsListener == platform.No, len(k.Sets) > 0, "options set on a listening socket")
			k.Sets = nil
			_, err = sockopt.GetOn(other, l)
			assert.NoError(t, err, "to look is harmless")
			require.NoError(t, setter.SetsOnly(0).WithoutReadBack().SetOnce(l), "to set nothing too")

			client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
			rc, err = server.SyscallConn()
			require.NoError(t, err)
			for way, err := range map[string]error{
				"a *net.TCPConn":  sockopt.SetOn(other, client, cfg),
				"a tls.Conn":      sockopt.SetOn(other, tls.Client(client, &tls.Config{}), cfg),
				"its RawConn":     sockopt.SetOn(other, rc, cfg),
				"a Setter":        setter.Set(server),
				"a Dialer's hook": dialWith(t, net.Dialer{Control: setter.Hook, KeepAlive: -1}),
				"a Dialer's hook, the port reused": dialWith(t, net.Dialer{KeepAlive: -1,
					Control: func(network, address string, c syscall.RawConn) error {
						return errors.Join(reuseAddr(c), setter.Hook(network, address, c))
					}}),
			} {
				assert.NoError(t, err, way)
			}
			assert.NotEmpty(t, k.Sets)
			assert.Equal(t, 111, testkit.ReadAny(t, client).Idle)
		})
	}
}

func dialWith(t *testing.T, d net.Dialer) error {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	conn, err := d.Dial("tcp4", l.Addr().String())
	if err == nil {
		conn.Close()
	}
	return err
}

func reuseAddr(c syscall.RawConn) error {
	var inner error
	outer := c.Control(func(fd uintptr) { inner = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
	return errors.Join(outer, inner)
}

// What cannot be asked is not a connection.
func TestASocketThatCannotBeAskedWhetherItListens(t *testing.T) {
	t.Parallel()
	refusing := kerneltest.Running()
	refusing.FailGet[kerneltest.At{syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN}] = syscall.ENOPROTOOPT
	darwin, _ := platform.Lookup("darwin")
	other := socket.OS{Calls: refusing, Table: linuxAs(darwin)}
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	err = sockopt.SetOn(other, rc, sockopt.Config{Idle: time.Minute})
	require.ErrorIs(t, err, syscall.ENOPROTOOPT)
	assert.ErrorContains(t, err, "SO_ACCEPTCONN")
	assert.NoError(t, sockopt.SetOn(other, client, sockopt.Config{Idle: time.Minute}), "the type says that it is a connection")
}
