//go:build unix || windows

package sockopt_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// tcpConn is what programs use of a *net.TCPConn beyond net.Conn.
type tcpConn interface {
	net.Conn
	syscall.Conn
	io.ReaderFrom
	io.WriterTo
	CloseRead() error
	CloseWrite() error
	File() (*os.File, error)
	MultipathTCP() (bool, error)
	SetKeepAlive(bool) error
	SetKeepAliveConfig(net.KeepAliveConfig) error
	SetKeepAlivePeriod(time.Duration) error
	SetLinger(int) error
	SetNoDelay(bool) error
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
}

var _ tcpConn = (*net.TCPConn)(nil)

func TestPinHidesTheType(t *testing.T) {
	t.Parallel()
	tcp, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	pinned := sockopt.Pin(tcp)
	_, isTCP := pinned.(*net.TCPConn)
	assert.False(t, isTCP)
	assert.Implements(t, (*tcpConn)(nil), pinned)
	assert.Equal(t, tcp.LocalAddr(), pinned.LocalAddr())
	assert.Equal(t, pinned, sockopt.Pin(pinned), "once is enough")
}

func TestPinLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	assert.Same(t, a, sockopt.Pin(a))
	assert.Nil(t, sockopt.Pin(nil))
	none := (*net.TCPConn)(nil)
	assert.Equal(t, net.Conn(none), sockopt.Pin(none), "a nil pointer cannot be pinned")
}

func TestPinRefusesKeepAliveMethods(t *testing.T) {
	t.Parallel()
	tcp, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(tcp, sockopt.Config{}))
	before, err := sockopt.Get(tcp)
	require.NoError(t, err)
	pinned := sockopt.Pin(tcp).(tcpConn)
	for name, err := range map[string]error{
		"SetKeepAlive":       pinned.SetKeepAlive(false),
		"SetKeepAlivePeriod": pinned.SetKeepAlivePeriod(time.Hour),
		"SetKeepAliveConfig": pinned.SetKeepAliveConfig(net.KeepAliveConfig{Enable: false}),
	} {
		assert.ErrorIs(t, err, sockopt.ErrPinned, name)
	}
	after, err := sockopt.Get(tcp)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	require.True(t, after.Enabled)

	require.NoError(t, sockopt.Set(pinned, sockopt.Config{Disabled: true}), "Set still works")
	after, err = sockopt.Get(tcp)
	require.NoError(t, err)
	assert.False(t, after.Enabled)
}

func TestPinKeepsTheOtherMethods(t *testing.T) {
	t.Parallel()
	tcp, peer := testkit.Pair(t, "tcp", "127.0.0.1:0")
	pinned := sockopt.Pin(tcp).(tcpConn)

	require.NoError(t, pinned.SetReadDeadline(time.Now().Add(-time.Second)))
	_, err := pinned.Read(make([]byte, 1))
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, pinned.SetWriteDeadline(time.Now().Add(-time.Second)))
	_, err = pinned.Write([]byte("x"))
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, pinned.SetDeadline(time.Time{}))
	require.NoError(t, pinned.SetNoDelay(false))

	rc, err := pinned.SyscallConn()
	require.NoError(t, err)
	visited := false
	require.NoError(t, rc.Control(func(uintptr) { visited = true }))
	assert.True(t, visited)

	_, err = pinned.Write([]byte("to the end"))
	require.NoError(t, err)
	require.NoError(t, pinned.CloseWrite())
	got, err := io.ReadAll(peer)
	require.NoError(t, err)
	assert.Equal(t, "to the end", string(got))
	_, err = peer.Write([]byte("x"))
	require.NoError(t, err, "CloseWrite closes one direction only")
	_, err = io.ReadFull(pinned, make([]byte, 1))
	require.NoError(t, err)

	require.NoError(t, pinned.Close())
	_, err = tcp.Read(make([]byte, 1))
	assert.ErrorIs(t, err, net.ErrClosed, "closed with the connection below")
}

const payloadSize = 300_000

func payload() []byte {
	b := make([]byte, payloadSize)
	for i := range b {
		b[i] = byte(i * 31 >> 5)
	}
	return b
}

// transfers are the ways in which programs move data into a connection; each
// returns how many bytes it moved.
var transfers = map[string]func(to net.Conn, from *net.TCPConn, pin func(net.Conn) net.Conn) (int64, error){
	"Copy from a connection": func(to net.Conn, from *net.TCPConn, pin func(net.Conn) net.Conn) (int64, error) {
		return io.Copy(to, pin(from))
	},
	"CopyN from a connection": func(to net.Conn, from *net.TCPConn, pin func(net.Conn) net.Conn) (int64, error) {
		return io.CopyN(to, pin(from), payloadSize)
	},
	"ReadFrom": func(to net.Conn, from *net.TCPConn, pin func(net.Conn) net.Conn) (int64, error) {
		return to.(io.ReaderFrom).ReadFrom(pin(from))
	},
	"WriteTo": func(to net.Conn, from *net.TCPConn, pin func(net.Conn) net.Conn) (int64, error) {
		return pin(from).(io.WriterTo).WriteTo(to)
	},
}

func bare(c net.Conn) net.Conn { return c }

// pinnings are who of source and destination is pinned.
var pinnings = map[string]struct{ source, destination func(net.Conn) net.Conn }{
	"bare to bare":     {bare, bare},
	"pinned to bare":   {sockopt.Pin, bare},
	"bare to pinned":   {bare, sockopt.Pin},
	"pinned to pinned": {sockopt.Pin, sockopt.Pin},
}

// relay sends payload through two connections that transfer joins, and checks
// what arrives.
func relay(t testing.TB, transfer, pinning string) {
	t.Helper()
	origin, source := testkit.Pair(t, "tcp", "127.0.0.1:0")
	destination, end := testkit.Pair(t, "tcp", "127.0.0.1:0")
	sent := make(chan error, 1)
	go func() {
		_, err := origin.Write(payload())
		origin.CloseWrite()
		sent <- err
	}()
	moved := make(chan error, 1)
	go func() {
		p := pinnings[pinning]
		n, err := transfers[transfer](p.destination(destination), source, p.source)
		if err == nil && n != payloadSize {
			err = io.ErrShortWrite
		}
		destination.CloseWrite()
		moved <- err
	}()
	got, err := io.ReadAll(end)
	require.NoError(t, err)
	require.NoError(t, <-sent)
	require.NoError(t, <-moved)
	require.True(t, bytes.Equal(payload(), got), "the data arrived changed")
}

func TestPinRelays(t *testing.T) {
	t.Parallel()
	for pinning := range pinnings {
		for transfer := range transfers {
			t.Run(pinning+"/"+transfer, func(t *testing.T) {
				t.Parallel()
				relay(t, transfer, pinning)
			})
		}
	}
}

// Whoever hands in a *io.LimitedReader learns from it how much is left.
func TestPinCountsALimitedSource(t *testing.T) {
	t.Parallel()
	origin, source := testkit.Pair(t, "tcp", "127.0.0.1:0")
	destination, end := testkit.Pair(t, "tcp", "127.0.0.1:0")
	_, err := origin.Write([]byte("abcdef"))
	require.NoError(t, err)
	require.NoError(t, origin.CloseWrite())
	into := sockopt.Pin(destination).(io.ReaderFrom)

	limited := &io.LimitedReader{R: sockopt.Pin(source), N: 4}
	n, err := into.ReadFrom(limited)
	require.NoError(t, err)
	assert.EqualValues(t, 4, n)
	assert.Zero(t, limited.N)

	limited.N = 10
	n, err = into.ReadFrom(limited)
	require.NoError(t, err, "the source ends before the limit")
	assert.EqualValues(t, 2, n)
	assert.EqualValues(t, 8, limited.N)

	require.NoError(t, destination.CloseWrite())
	got, err := io.ReadAll(end)
	require.NoError(t, err)
	assert.Equal(t, "abcdef", string(got))
}

// sendFile copies a file of payloadSize bytes into a connection.
func sendFile(t testing.TB, pin func(net.Conn) net.Conn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "payload")
	require.NoError(t, os.WriteFile(path, payload(), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	source, end := testkit.Pair(t, "tcp", "127.0.0.1:0")
	moved := make(chan error, 1)
	go func() {
		half := int64(payloadSize / 2)
		_, err := io.CopyN(pin(source), f, half) // as net/http serves a range
		if err == nil {
			_, err = io.Copy(pin(source), f)
		}
		source.CloseWrite()
		moved <- err
	}()
	got, err := io.ReadAll(end)
	require.NoError(t, err)
	require.NoError(t, <-moved)
	require.True(t, bytes.Equal(payload(), got), "the data arrived changed")
}

// sendBuffers writes two buffers of 3 bytes at once.
func sendBuffers(t testing.TB, pin func(net.Conn) net.Conn) {
	t.Helper()
	source, end := testkit.Pair(t, "tcp", "127.0.0.1:0")
	n, err := (&net.Buffers{[]byte("abc"), []byte("def")}).WriteTo(pin(source))
	require.NoError(t, err)
	require.EqualValues(t, 6, n)
	require.NoError(t, source.CloseWrite())
	got, err := io.ReadAll(end)
	require.NoError(t, err)
	require.Equal(t, "abcdef", string(got))
}

func TestPinSendsFilesAndBuffers(t *testing.T) {
	t.Parallel()
	for name, pin := range map[string]func(net.Conn) net.Conn{"bare": bare, "pinned": sockopt.Pin} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sendFile(t, pin)
			sendBuffers(t, pin)
		})
	}
}
