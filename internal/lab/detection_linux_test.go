package lab

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/netlab"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// onWire connects a client with this Config and a server without keepalive over a
// wire, and lets them talk once.
func onWire(t *testing.T, w *netlab.Wire, cfg sockopt.Config) (client, server net.Conn) {
	t.Helper()
	var l net.Listener
	require.NoError(t, w.Server.Do(func() (err error) {
		lc := net.ListenConfig{KeepAlive: -1}
		l, err = lc.Listen(context.Background(), "tcp4", netlab.WireServer+":0")
		return err
	}))
	defer l.Close()
	d, err := dialer.New(cfg)
	require.NoError(t, err)
	require.NoError(t, w.Client.Do(func() (err error) {
		client, err = d.Dial("tcp4", l.Addr().String())
		return err
	}))
	t.Cleanup(func() { client.Close() })
	server, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	_, err = client.Write([]byte{1})
	require.NoError(t, err)
	_, err = server.Read(make([]byte, 1))
	require.NoError(t, err)
	time.Sleep(300 * time.Millisecond) // until the acknowledgement is back
	return client, server
}

// retransmissionTimeout is that of a connection now.
func retransmissionTimeout(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	raw, err := sockopt.RawConn(c)
	require.NoError(t, err)
	var info *unix.TCPInfo
	require.NoError(t, raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}))
	require.NoError(t, err)
	return time.Duration(info.Rto) * time.Microsecond
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

// TestDetectionOnTheWire: on a path with a round trip of 100 ms, the death of the peer
// is noticed within the bounds that are published, in each phase.
func TestDetectionOnTheWire(t *testing.T) {
	t.Parallel()
	const roundTrip = 100 * time.Millisecond
	cfg := sockopt.Config{Idle: 2 * time.Second, Interval: time.Second, Count: 3, UserTimeout: 5 * time.Second}
	all := func(bool, []byte) bool { return true }
	toServer := func(toServer bool, _ []byte) bool { return toServer }
	toClient := func(toServer bool, _ []byte) bool { return !toServer }
	write := func(c net.Conn) { c.Write([]byte{1}) }
	for name, tt := range map[string]struct {
		phase sockopt.Phase
		lose  func(bool, []byte) bool
		after time.Duration // when it writes; negative: never
	}{
		"idle":                       {sockopt.PhaseIdle, all, -1},
		"idle, only to the server":   {sockopt.PhaseIdle, toServer, -1},
		"idle, only to the client":   {sockopt.PhaseIdle, toClient, -1},
		"in flight":                  {sockopt.PhaseInFlight, all, 0},
		"in flight, only the answer": {sockopt.PhaseInFlight, toClient, 0},
		"late write":                 {sockopt.PhaseLateWrite, all, 4500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := netlab.NewWire(t, roundTrip/2)
			client, _ := onWire(t, w, cfg)
			settings, err := sockopt.Get(client)
			require.NoError(t, err)
			// A busy machine varies the round trip by more than half: what counts is the
			// retransmission timeout that the kernel makes of it, 3 round trips here.
			bounds, err := sockopt.DetectionBounds(settings, sockopt.Conditions{RTT: max(roundTrip, retransmissionTimeout(t, client)/3)})
			require.NoError(t, err)
			bound := bounds[tt.phase]
			require.True(t, bound.Promised())

			began := time.Now()
			w.Lose(tt.lose)
			if tt.after >= 0 {
				time.AfterFunc(tt.after, func() { write(client) })
			}
			err = ends(client, 2*bound.Latest)
			took := time.Since(began)
			t.Logf("%.2f s, promised %.2f s", took.Seconds(), bound.Latest.Seconds())
			assert.True(t, sockopt.IsPeerTimeout(err), "%v", err)
			assert.LessOrEqual(t, took, bound.Latest)
			// The last segment came up to 0.4 s before the path broke.
			assert.GreaterOrEqual(t, took, min(bound.Earliest, bounds[sockopt.PhaseIdle].Earliest)-500*time.Millisecond)
		})
	}
}

// TestALivePeerThatDoesNotRead: its window is full. A user timeout gives it up too;
// keepalive alone does not.
func TestALivePeerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cfg    sockopt.Config
		killed bool
	}{
		"with a user timeout": {sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 2, UserTimeout: 3 * time.Second}, true},
		"without":             {sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 2, UserTimeout: sockopt.NoUserTimeout}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := onWire(t, netlab.NewWire(t, 0), tt.cfg)
			require.NoError(t, client.SetWriteDeadline(time.Now().Add(time.Second)))
			for {
				if _, err := client.Write(make([]byte, 64<<10)); err != nil {
					break
				}
			}
			err := ends(client, 8*time.Second)
			assert.Equal(t, tt.killed, sockopt.IsPeerTimeout(err), "%v", err)
		})
	}
}

// TestARebootedPeer answers the next probe with a reset.
func TestARebootedPeer(t *testing.T) {
	t.Parallel()
	w := netlab.NewWire(t, 0)
	client, server := onWire(t, w, probing)
	// It forgets the connection without a word.
	w.Break()
	require.NoError(t, server.(*net.TCPConn).SetLinger(0))
	require.NoError(t, server.Close())
	time.Sleep(200 * time.Millisecond)
	w.Lose(func(bool, []byte) bool { return false })
	began := time.Now()
	err := ends(client, 10*time.Second)
	assert.Equal(t, sockopt.Reset, sockopt.CauseOf(err), "%v", err)
	assert.Less(t, time.Since(began), probing.Idle*9/8+time.Second)
}
