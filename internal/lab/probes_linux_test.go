package lab

import (
	"math"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/capture"
	"github.com/tcpkeepalive/keepalive/internal/segment"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A world is a connection in a network namespace of its own, whose segments are
// captured.
type world struct {
	namespace      *Namespace
	client, server net.Conn
	capture        *capture.Capture
	segments       segment.Tracker
}

// newWorld connects a client and a server at an address of the loopback interface,
// and lets them talk once.
func newWorld(t *testing.T, client, server side, address string) *world {
	t.Helper()
	w := &world{namespace: NewNamespace(t)}
	require.NoError(t, w.namespace.Do(func() (err error) {
		if w.capture, err = capture.Open(); err != nil {
			return err
		}
		l, err := server.listen(address)
		if err != nil {
			return err
		}
		defer l.Close()
		if w.client, err = client.dial(l.Addr().String()); err != nil {
			return err
		}
		w.server, err = l.Accept()
		return err
	}))
	t.Cleanup(func() {
		w.client.Close()
		w.server.Close()
		w.capture.Close()
	})
	_, err := w.client.Write([]byte("x"))
	require.NoError(t, err)
	_, err = w.server.Read(make([]byte, 1))
	require.NoError(t, err)
	return w
}

// watch returns the segments on the wire during this time, or until a reset, without ordinary
// traffic.
func (w *world) watch(t *testing.T, during time.Duration) []segment.Event {
	t.Helper()
	return w.watchFor(t, math.MaxInt, during)
}

// watchFor is watch, but ends after enough segments.
func (w *world) watchFor(t *testing.T, enough int, during time.Duration) (events []segment.Event) {
	t.Helper()
	for end := time.Now().Add(during); time.Now().Before(end); {
		p, ok, err := w.capture.Next()
		require.NoError(t, err)
		if !ok {
			continue
		}
		s, ok := segment.Parse(p.Data)
		if !ok {
			continue
		}
		s.Time = p.Time
		for _, e := range w.segments.Add(s) {
			switch e.Kind {
			case segment.Probe, segment.Answer, segment.WindowProbe, segment.Retransmission, segment.Reset:
				events = append(events, e)
			}
			if e.Kind == segment.Reset || len(events) >= enough {
				return events
			}
		}
	}
	return events
}

var probing = sockopt.Config{Idle: 2 * time.Second, Interval: time.Second, Count: 3}

// requireAfter allows for the lateness of kernel timers: up to an eighth late, and never early
// except for the ticks in which the kernel counts.
func requireAfter(t *testing.T, want, got time.Duration, what string) {
	t.Helper()
	assert.GreaterOrEqual(t, got, want-10*time.Millisecond, what)
	assert.LessOrEqual(t, got, want*9/8+20*time.Millisecond, what)
}

// The peer is gone. The first probe is sent after the idle time; as many probes as the count
// follow each other at the interval, and then a reset. That holds for either side, over IPv4
// and IPv6. No other segment is sent: Go's 15 s does not appear.
func TestProbesOnTheWire(t *testing.T) {
	t.Parallel()
	for family, address := range map[string]string{"IPv4": "127.0.0.1:0", "IPv6": "[::1]:0"} {
		for name, tt := range map[string]struct {
			client, server side
			fromServer     bool
		}{
			"dialer":           {ours(probing, false), plainSide, false},
			"dialer, pinned":   {ours(probing, true), plainSide, false},
			"listener":         {plainSide, ours(probing, false), true},
			"listener, pinned": {plainSide, ours(probing, true), true},
		} {
			t.Run(family+", "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tt.client, tt.server, address)
				own, peer := w.client, w.server
				if tt.fromServer {
					own, peer = peer, own
				}
				drop(t, peer)
				gone := time.Now()
				events := w.watch(t, 30*time.Second)
				// On a busy machine a probe may have been answered before the peer was cut off.
				events = slices.DeleteFunc(events, func(e segment.Event) bool { return e.Time.Before(gone) })
				for _, e := range events {
					assert.Equal(t, own.LocalAddr().String(), e.Src.String(), "%s", e.Kind)
				}
				// One more is possible only if this machine itself could not send a probe.
				require.Len(t, events, probing.Count+1)
				for i, e := range events[:probing.Count] {
					assert.Equal(t, segment.Probe, e.Kind)
					assert.Equal(t, i+1, e.Unanswered)
					want := probing.Interval
					if i == 0 {
						want = probing.Idle
					}
					requireAfter(t, want, e.Since, "probe")
				}
				last := events[probing.Count]
				assert.Equal(t, segment.Reset, last.Kind)
				requireAfter(t, probing.Interval, last.Since, "reset")
				_, err := own.Read(make([]byte, 1))
				assert.Equal(t, sockopt.PeerTimeout, sockopt.CauseOf(err), "%v", err)
			})
		}
	}
}

// drop makes the kernel drop the packets that a connection receives.
func drop(t *testing.T, c net.Conn) {
	t.Helper()
	testkit.DropReceived(t, withRawConn{rawConn(t, c)})
}

// withRawConn is a syscall.Conn that returns this raw connection.
type withRawConn struct{ raw syscall.RawConn }

func (w withRawConn) SyscallConn() (syscall.RawConn, error) { return w.raw, nil }

// A live peer is probed once per idle time.
func TestAnsweredProbesOnTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ours(probing, false), plainSide, "127.0.0.1:0")
	events := w.watchFor(t, 6, 30*time.Second)
	require.Len(t, events, 6, "three probes and their answers")
	for i, e := range events {
		if i%2 == 0 {
			assert.Equal(t, segment.Probe, e.Kind)
			assert.Equal(t, 1, e.Unanswered)
			requireAfter(t, probing.Idle, e.Since, "probe")
		} else {
			assert.Equal(t, segment.Answer, e.Kind)
			assert.Less(t, e.Since, 100*time.Millisecond)
		}
	}
}

// Neither side sends a probe. (The other tests show that this one would see it.)
func TestDisabledSendsNothing(t *testing.T) {
	t.Parallel()
	off := sockopt.Config{Disabled: true, Idle: time.Second, Interval: time.Second, Count: 3}
	for name, pin := range map[string]bool{"plain": false, "pinned": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ours(off, pin), ours(off, pin), "127.0.0.1:0")
			assert.Empty(t, w.watch(t, 4*time.Second))
		})
	}
}
