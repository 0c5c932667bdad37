package trace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A reused dials again and again from the same port, so that each connection has the
// addresses of the one before. The connections end without a RST.
type reused struct {
	t *testing.T
	l net.Listener
	d net.Dialer

	at *scene
}

// newReused uses a loopback address of its own, so that no other program has the port.
func newReused(t *testing.T, from string) *reused {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	local := &net.TCPAddr{IP: net.ParseIP(from)}
	return &reused{t: t, l: l, d: net.Dialer{LocalAddr: local, KeepAlive: -1, Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
	}}}
}

// dial waits until the kernel has released the addresses, which needs the last
// acknowledgement of the previous connection.
func (r *reused) dial() (client, server net.Conn) {
	client, err := r.d.DialContext(context.Background(), "tcp4", r.l.Addr().String())
	for end := time.Now().Add(10 * time.Second); errors.Is(err, syscall.EADDRNOTAVAIL) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
		client, err = r.d.DialContext(context.Background(), "tcp4", r.l.Addr().String())
	}
	require.NoError(r.t, err)
	r.d.LocalAddr = client.LocalAddr()
	server = testkit.Accept(r.t, r.l, client)
	server.(*net.TCPConn).SetKeepAlive(false)
	return client, server
}

// end closes a connection at the server first, so that the server has the socket in
// TIME-WAIT, which accepts a new SYN.
func (r *reused) end(client, server net.Conn) {
	require.NoError(r.t, server.Close())
	_, err := client.Read(make([]byte, 1))
	require.ErrorIs(r.t, err, io.EOF)
	require.NoError(r.t, client.Close())
}

func (r *reused) connection() connection {
	from := r.d.LocalAddr.(*net.TCPAddr).AddrPort()
	return connection{from, r.l.Addr().(*net.TCPAddr).AddrPort(), r.at}
}

func TestTraceOfAddressesThatAreUsedAgain(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	r := newReused(t, "127.11.11.1")
	seen, lines := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(commands, limited([]string{"--port", portOf(r.l.Addr()), "--count", "4"}), lines, io.Discard)
		lines.Close()
	}()
	text := make([]byte, 4096)
	read := func() string {
		n, err := seen.Read(text)
		require.NoError(t, err)
		return string(text[:n])
	}
	read() // the titles
	for idle := range 2 {
		client, server := r.dial()
		require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: time.Duration(idle+1) * time.Second}))
		got := ""
		for strings.Count(got, "\n") < 2 {
			got += read()
		}
		assert.Regexp(t, fmt.Sprintf(`probe .* idle %ds\n.* answer`, idle+1), got)
		r.end(client, server)
	}
	assert.Equal(t, exit.OK, <-code)
}

// trace distinguishes a connection from the previous one by asking the kernel, even if it
// has not seen the SYN.
func TestSocketsThatAreUsedAgain(t *testing.T) {
	t.Parallel()
	r := newReused(t, "127.11.11.2")
	client, server := r.dial()
	diag, err := sockdiag.Open()
	if err != nil {
		testkit.Need(t, false, err.Error())
	}
	defer diag.Close()
	r.at = &scene{diag: diag}
	s := newLocalSockets()
	now := time.Now()
	s.look(r.connection(), 0, now)
	s.learn()
	first := s.of(r.connection())
	require.NotNil(t, first)
	assert.True(t, first.has(os.Getpid()))
	assert.NotNil(t, s.of(r.connection()))
	s.look(r.connection(), 0, now.Add(freshFor))
	assert.Same(t, first, s.of(r.connection()), "the same")
	r.end(client, server)
	s.look(r.connection(), 0, now.Add(2*freshFor))
	assert.Same(t, first, s.of(r.connection()), "gone, and its last segments are still about it")

	client, server = r.dial()
	defer client.Close()
	defer server.Close()
	s.look(r.connection(), 0, now.Add(3*freshFor))
	s.learn()
	second := s.of(r.connection())
	require.NotNil(t, second)
	assert.NotEqual(t, first.cookie, second.cookie)
	assert.True(t, second.has(os.Getpid()))
}

// The processes of many connections are found in one search, and no packet is lost during
// the search.
func TestTraceOfManyConnections(t *testing.T) {
	testkit.Root(t)
	const connections, processes = 1000, 100
	for range processes {
		c := exec.Command("sleep", "60")
		require.NoError(t, c.Start())
		t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	var clients []net.Conn
	for range connections {
		client, err := net.Dial("tcp4", l.Addr().String())
		require.NoError(t, err)
		defer client.Close()
		server := testkit.Accept(t, l, client)
		server.(*net.TCPConn).SetKeepAlive(false)
		clients = append(clients, client)
	}
	began := time.Now()
	code, out, errs := tracingTo(t, false, func() {
		for _, c := range clients {
			assert.NoError(t, sockopt.Set(c, sockopt.Config{Idle: time.Second, Interval: 30 * time.Second}))
		}
	}, "--port", portOf(l.Addr()), "--pid", fmt.Sprint(os.Getpid()), "--count", fmt.Sprint(2*connections), "--only", "probe,answer")
	assert.Equal(t, exit.OK, code, string(errs))
	assert.Empty(t, string(errs))
	assert.Equal(t, connections, strings.Count(string(out), "idle 1s\n"))
	t.Logf("%d lines in %v", 2*connections, time.Since(began))
}
