package inspect_test

import (
	"encoding/binary"
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

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A capture notes when each port sent its first keepalive probe: a segment
// without data whose number is one below what is expected next (RFC 9293,
// section 3.8.4).
type capture struct {
	fd     int
	mu     sync.Mutex
	next   map[uint16]uint32 // sequence number, by source port
	probes map[uint16]time.Time
}

// startCapture listens to IPv4 on the loopback interface of the thread's
// network namespace.
func startCapture(t *testing.T) *capture {
	t.Helper()
	const allProtocols = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0) // no packets before bind
	require.NoError(t, err)
	require.NoError(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
	require.NoError(t, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}))
	lo, err := net.InterfaceByName("lo")
	require.NoError(t, err)
	require.NoError(t, unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: allProtocols, Ifindex: lo.Index}))
	c := &capture{fd: fd, next: map[uint16]uint32{}, probes: map[uint16]time.Time{}}
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		packet, control := make([]byte, 65536), make([]byte, 256)
		for {
			select {
			case <-done:
				return
			default:
			}
			n, cn, _, from, err := unix.Recvmsg(fd, packet, control, 0)
			if err == nil && from.(*unix.SockaddrLinklayer).Pkttype == unix.PACKET_OUTGOING {
				c.note(packet[:n], timestamp(control[:cn]))
			}
		}
	})
	t.Cleanup(func() {
		close(done)
		running.Wait()
		unix.Close(fd)
	})
	return c
}

func timestamp(control []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Time{}
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_SOCKET || m.Header.Type != unix.SCM_TIMESTAMPNS {
			continue
		}
		if len(m.Data) >= 16 {
			return time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		}
		return time.Unix(int64(binary.NativeEndian.Uint32(m.Data)), int64(binary.NativeEndian.Uint32(m.Data[4:]))) // 32 bits
	}
	return time.Time{}
}

func (c *capture) note(ip []byte, at time.Time) {
	if len(ip) < 20 || ip[0]>>4 != 4 || ip[9] != unix.IPPROTO_TCP {
		return
	}
	header, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	tcp := ip[header:total]
	port, seq, flags := binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint32(tcp[4:]), tcp[13]
	size := uint32(len(tcp) - int(tcp[12]>>4)*4)
	if flags&3 != 0 { // SYN and FIN count
		size++
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next, known := c.next[port]
	if known && size == 0 && seq == next-1 {
		if _, already := c.probes[port]; !already {
			c.probes[port] = at
		}
		return
	}
	c.next[port] = seq + size
}

func (c *capture) probe(port uint16) (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.probes[port]
	return at, ok
}

// The first probe leaves when the inspector last said it would: never earlier,
// and later by no more than a kernel timer may be (1/8 of what it was set to)
// and a busy machine takes.
func TestProbesLeaveWhenTheInspectorSays(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds")
	}
	t.Parallel()
	testkit.InNamespace(t, func() {
		capture := startCapture(t)
		type look struct{ at, said time.Time } // when the probe should leave
		type watched struct {
			rule   string
			conn   *net.TCPConn
			idle   time.Duration
			looks  []look
			pushed atomic.Pointer[time.Time] // by traffic, which had come by then
		}
		var all []*watched
		ask := func(w *watched) {
			now := time.Now()
			r, err := inspect.Of(w.conn)
			require.NoError(t, err)
			if next, err := r.NextProbe(); err == nil {
				w.looks = append(w.looks, look{time.Now(), now.Add(next)})
			}
		}
		watch := func(rule string, conn *net.TCPConn, idle time.Duration) {
			require.NoError(t, sockopt.Set(conn, sockopt.Config{Idle: idle, Interval: 10 * time.Second, Count: 3}))
			w := &watched{rule: rule, conn: conn, idle: idle}
			all = append(all, w)
			ask(w) // at once: on a busy machine a probe may leave before all are made
		}
		idles := []time.Duration{time.Second, 2 * time.Second}
		if testkit.LongTestsRun() {
			idles = append(idles, 3*time.Second)
		}
		for _, idle := range idles {
			client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
			watch("dialed, "+idle.String(), client, idle)
			_, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
			watch("accepted, "+idle.String(), server, idle)
			both, peer := testkit.Pair(t, "tcp4", "127.0.0.1:0")
			watch("with traffic, "+idle.String(), both, idle)
			w := all[len(all)-1]
			start := time.Now()
			go func() {
				time.Sleep(time.Until(start.Add(idle * 7 / 10)))
				peer.Write([]byte("x"))
				io.ReadFull(both, make([]byte, 1))
				now := time.Now()
				w.pushed.Store(&now)
			}()
		}
		left := len(all)
		for end := time.Now().Add(8 * time.Second); left > 0 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			left = 0
			for _, w := range all {
				if _, sent := capture.probe(portOf(w.conn)); sent {
					continue
				}
				left++
				ask(w)
			}
		}
		require.Zero(t, left, "probes that did not leave within 8 s")
		pushed := 0
		for _, w := range all {
			at, _ := capture.probe(portOf(w.conn))
			var last look
			for _, l := range w.looks {
				if l.at.Before(at) { // the probe may have left since the loop asked
					last = l
				}
			}
			require.NotZero(t, last, w.rule)
			late := at.Sub(last.said)
			t.Logf("%-20s left %v after the time said", w.rule, late)
			assert.Greater(t, late, -20*time.Millisecond, w.rule)
			assert.Less(t, late, w.idle/8+200*time.Millisecond, w.rule)
			early := at.Sub(w.looks[0].said)
			switch traffic := w.pushed.Load(); {
			case traffic != nil && traffic.Before(at):
				pushed++
				assert.Greater(t, early, w.idle*6/10, "%s: traffic pushed it", w.rule)
			case strings.HasPrefix(w.rule, "with traffic"): // which came late on a busy machine
			default:
				assert.InDelta(t, 0, early, float64(w.idle/8+200*time.Millisecond), w.rule)
			}
		}
		assert.NotZero(t, pushed, "connections whose traffic came before the probe")
	})
}

func portOf(c *net.TCPConn) uint16 { return c.LocalAddr().(*net.TCPAddr).AddrPort().Port() }
