package inspect_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// fill writes until the peer, which does not read, has closed its window.
func fill(t *testing.T, c *net.TCPConn) {
	t.Helper()
	testkit.Until(t, "the kernel notices", func() bool {
		// A busy machine may not write it all in one go.
		require.NoError(t, c.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
		_, err := c.Write(make([]byte, 64<<20))
		require.Error(t, err, "more than fits")
		return of(t, c).Timer.Kind == "persist"
	})
}

func TestZeroWindow(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, asked))
	fill(t, client)
	r := of(t, client)
	_, err := r.NextProbe()
	assert.ErrorIs(t, err, inspect.ErrNoProbe)
	assert.NotZero(t, r.SendQueue)
	h, err := inspect.NewHandle(client)
	require.NoError(t, err)
	testkit.Until(t, "three window probes, all answered", func() bool {
		require.NotContains(t, pointerTo(of(t, client)).Explain(), "unanswered", "at any time: the kernel answers one probe in half a second")
		r, err := h.Report()
		require.NoError(t, err)
		require.NoError(t, h.Alive(), "a slow reader is alive: %+v", r.Activity)
		assert.True(t, r.Activity.WindowClosed)
		return r.Activity.Backoff >= 3
	})
	r = of(t, client)
	assert.Equal(t, "the peer's window is zero, and it answers: it does not read; it is not given up for that", r.Explain())
	require.NoError(t, sockopt.Set(client, sockopt.Config{UserTimeout: time.Hour}))
	r = of(t, client)
	assert.Equal(t, "the peer's window is zero, and it answers: it does not read; the user timeout of 3600s ends that all the same", r.Explain())

	testkit.DropReceived(t, client) // no answer arrives any more
	testkit.Until(t, "an answer is overdue", func() bool { return inspect.Alive(client) != nil })
	assert.ErrorIs(t, inspect.Alive(client), inspect.ErrSuspect)
	assert.Regexp(t, `\d window probes? unanswered; the user timeout of 3600s decides`, pointerTo(of(t, client)).Explain())
}

func TestAliveConsumesNothing(t *testing.T) {
	t.Parallel()
	client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
	assert.NoError(t, inspect.Alive(client))
	_, err := server.Write([]byte("data"))
	require.NoError(t, err)
	testkit.Until(t, "the kernel notices", func() bool { return of(t, client).RecvQueue == 4 })
	assert.NoError(t, inspect.Alive(client), "unread data speaks for the peer")
	require.NoError(t, server.Close())
	testkit.Until(t, "the kernel notices", func() bool { return errors.Is(inspect.Alive(client), inspect.ErrPeerClosed) })
	got, err := io.ReadAll(client)
	require.NoError(t, err)
	assert.Equal(t, "data", string(got))
}

func TestAliveDoesNotWaitForABlockedRead(t *testing.T) {
	t.Parallel()
	client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
	done := make(chan error, 1)
	go func() {
		_, err := client.Read(make([]byte, 1))
		done <- err
	}()
	h, err := inspect.NewHandle(client)
	require.NoError(t, err)
	start := time.Now()
	for range 1000 {
		require.NoError(t, h.Alive())
		_, err := h.Report()
		require.NoError(t, err)
	}
	assert.Less(t, time.Since(start), 3*time.Second)
	require.NoError(t, server.CloseWrite())
	assert.Equal(t, io.EOF, <-done)
}

// Alive makes as few system calls for a wrapped connection as for the connection itself,
// and reports other sockets as no connection.
func TestAliveOfWhatWrapsAConnection(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	for _, c := range []any{client, rc, sockopt.Pin(client), tls.Client(client, nil), struct{ syscall.Conn }{client}} {
		assert.NoError(t, inspect.Alive(c), "%T", c)
		_, err := inspect.NewHandle(c)
		assert.NoError(t, err, "%T", c)
	}
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer u.Close()
	rc, err = u.(*net.UDPConn).SyscallConn()
	require.NoError(t, err)
	pipe, _, err := os.Pipe()
	require.NoError(t, err)
	defer pipe.Close()
	for c, want := range map[any]error{u: sockopt.ErrNotTCP, rc: sockopt.ErrNotTCP, pipe: sockopt.ErrNoSocket} {
		assert.ErrorIs(t, inspect.Alive(c), want, "%T", c)
		_, err := inspect.NewHandle(c)
		assert.ErrorIs(t, err, want, "%T", c)
		_, err = inspect.Of(c)
		assert.ErrorIs(t, err, want, "%T", c)
	}
	assert.ErrorIs(t, new(inspect.Handle).Alive(), sockopt.ErrNoSocket)
	_, err = new(inspect.Handle).Report()
	assert.ErrorIs(t, err, sockopt.ErrNoSocket)
}
