package lab

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/segment"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A rebooted peer answers the next probe with a reset.
func TestARebootedPeer(t *testing.T) {
	t.Parallel()
	w := NewWire(t, 0)
	client, server := onWire(t, w, ours(detecting, false))
	standard, itsServer := onWire(t, w, goSide)
	// The server forgets its connections, and its resets are lost.
	var resets atomic.Int64
	w.Lose(func(toServer bool, p []byte) bool {
		if s, ok := segment.Parse(p); ok && !toServer && s.Flags&segment.RST != 0 {
			resets.Add(1)
		}
		return true
	})
	for _, c := range []net.Conn{server, itsServer} {
		require.NoError(t, c.(*net.TCPConn).SetLinger(0))
		require.NoError(t, c.Close())
	}
	testkit.Until(t, "both resets are lost", func() bool { return resets.Load() == 2 })
	w.Lose(nothing)
	began := time.Now()
	err := ends(client, 10*time.Second)
	assert.Equal(t, sockopt.Reset, sockopt.CauseOf(err), "%v", err)
	assert.Less(t, time.Since(began), detecting.Idle*9/8+time.Second+machine.late(began))
	assertOpen(t, standard, began.Add(detecting.Idle*9/8+time.Second))
}

// No host answers for the address any more, not even ARP, so the last router sends "host
// unreachable". Such a message about a probe does not end the connection: detection takes as
// long as on a silent path.
func TestAVanishedHost(t *testing.T) {
	t.Parallel()
	for _, phase := range []timing.Phase{timing.PhaseIdle, timing.PhaseInFlight} {
		t.Run(phase.String(), func(t *testing.T) {
			t.Parallel()
			b := NewBalancer(t, time.Minute, Drops)
			client := connectThrough(t, b, ours(detecting, false), plainSide)
			standard := connectThrough(t, b, goSide, plainSide)
			for _, c := range []net.Conn{client, standard} {
				require.NoError(t, exchange(c))
				require.NoError(t, c.SetDeadline(time.Time{}))
			}
			bound := boundsOf(t, client, time.Millisecond)[phase]
			b.Vanish()
			began := time.Now()
			if phase == timing.PhaseInFlight {
				for _, c := range []net.Conn{client, standard} {
					_, err := c.Write([]byte{1})
					require.NoError(t, err)
				}
			}
			err := ends(client, 2*bound.Latest)
			took := time.Since(began)
			t.Logf("%.2f s, promised %.2f s: %v", took.Seconds(), bound.Latest.Seconds(), err)
			assert.Equal(t, sockopt.PeerTimeout, sockopt.CauseOf(err), "%v", err)
			assert.LessOrEqual(t, took, bound.Latest+machine.late(began))
			assertOpen(t, standard, began.Add(bound.Latest))
		})
	}
}

// The kernel closes the connections of a killed server, so a client notices that without
// keepalive, unless the FIN is lost. Then probes do not help as long as the path works: the
// kernel of the peer answers them although the program has ended.
func TestAKilledServer(t *testing.T) {
	t.Parallel()
	bound := func(t *testing.T, c net.Conn) time.Duration {
		return boundsOf(t, c, time.Millisecond)[timing.PhaseIdle].Latest
	}
	soon := func(*testing.T, net.Conn) time.Duration { return 2 * time.Second } // before a probe is due and answered for
	// patient waits longer than the few retransmission timeouts after which a FIN arrives that
	// was lost twice, even if a busy machine made these timeouts long.
	patient := sockopt.Config{Idle: time.Second, Interval: 2 * time.Second, Count: 9, UserTimeout: 20 * time.Second}
	always := func(lose func(bool, []byte) bool) func() func(bool, []byte) bool {
		return func() func(bool, []byte) bool { return lose }
	}
	for name, tt := range map[string]struct {
		unread bool // the server had not read all
		lose   func() func(toServer bool, packet []byte) bool
		cfg    sockopt.Config
		within func(*testing.T, net.Conn) time.Duration
		want   sockopt.Cause
	}{
		"FIN arrives":                  {false, always(nothing), detecting, soon, sockopt.EndOfStream},
		"RST arrives":                  {true, always(nothing), detecting, soon, sockopt.Reset},
		"the path is gone":             {false, always(everything), detecting, bound, sockopt.PeerTimeout},
		"the path is gone for a while": {false, untilFINsAreLost(2), patient, bound, sockopt.EndOfStream},
		"only FIN is lost":             {false, always(func(_ bool, p []byte) bool { return isFIN(p) }), detecting, bound, sockopt.Deadline},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := NewWire(t, 0)
			server, address := startServer(t, w.Server)
			var client net.Conn
			require.NoError(t, w.Client.Do(func() (err error) {
				client, err = ours(tt.cfg, false).dial(address)
				return err
			}))
			t.Cleanup(func() { client.Close() })
			require.NoError(t, exchange(client))
			if tt.unread {
				_, err := client.Write([]byte{1})
				require.NoError(t, err)
			}
			acknowledged(t, client)
			within := tt.within(t, client)
			w.Lose(tt.lose())
			began := time.Now()
			require.NoError(t, server.Kill())
			err := ends(client, within)
			t.Logf("%.2f s: %v", time.Since(began).Seconds(), err)
			assert.Equal(t, tt.want, sockopt.CauseOf(err), "%v", err)
			if tt.want == sockopt.Deadline {
				assert.Less(t, tcpInfo(t, client).Last_ack_recv, uint32(2500), "probes are answered")
			}
		})
	}
}

// untilFINsAreLost loses all packets until so many FINs are lost. So the time at which the
// next FIN arrives depends only on the server's retransmission timeout, not on the clock of
// the test: a FIN is retransmitted after one, three and seven timeouts. A timeout is 0.2 s on
// this path, or more if a busy machine made the first round trip long.
func untilFINsAreLost(n int) func() func(bool, []byte) bool {
	return func() func(bool, []byte) bool {
		var lost atomic.Int64
		return func(_ bool, p []byte) bool {
			if lost.Load() >= int64(n) {
				return false
			}
			if isFIN(p) {
				lost.Add(1)
			}
			return true
		}
	}
}

// isFIN reports whether a packet has FIN set.
func isFIN(packet []byte) bool {
	s, ok := segment.Parse(packet)
	return ok && s.Flags&segment.FIN != 0
}

// serverProcess is the environment variable that has the address to listen at, in processes
// of startServer.
const serverProcess = "KEEPALIVE_TEST_SERVER"

// startServer runs serveOneByte in a process of its own.
func startServer(t *testing.T, n *Namespace) (p *os.Process, address string) {
	t.Helper()
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), serverProcess+"="+WireServer+":0")
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, n.Do(c.Start))
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return c.Process, strings.TrimSpace(line)
}

// serveOneByte sends back the first byte of each connection, and reads nothing after it.
func serveOneByte(address string) {
	l, err := plainSide.listen(address)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			b := make([]byte, 1)
			c.Read(b)
			c.Write(b)
			select {} // until it is killed
		}()
	}
}
