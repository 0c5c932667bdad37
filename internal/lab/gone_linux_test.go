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

// TestARebootedPeer answers the next probe with a reset.
func TestARebootedPeer(t *testing.T) {
	t.Parallel()
	w := NewWire(t, 0)
	client, server := onWire(t, w, ours(detecting, false))
	standard, itsServer := onWire(t, w, goSide)
	// It forgets the connections, and its word about that is lost.
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

// TestAVanishedHost: nothing answers for its address any more, ARP neither, so that the
// router before it says "host unreachable". A probe that is quoted in that ends nothing:
// it takes as long as on a path that is silent.
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

// TestAKilledServer: its kernel closes the connection for it, so it takes no keepalive
// to notice; unless that is lost. Then probes do not help while the path works: the
// peer's kernel answers them for a program that is gone.
func TestAKilledServer(t *testing.T) {
	t.Parallel()
	bound := func(t *testing.T, c net.Conn) time.Duration {
		return boundsOf(t, c, time.Millisecond)[timing.PhaseIdle].Latest
	}
	soon := func(*testing.T, net.Conn) time.Duration { return 2 * time.Second } // before a probe is due and answered for
	// patient waits for more than the few retransmission timeouts that a FIN needs which
	// was lost twice, also where a busy machine made them long.
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

// untilFINsAreLost loses everything until so many FINs were. When the next comes does not
// depend on the clock of the test then, but on the server's retransmission timeout alone:
// it is sent anew after one, three and seven such timeouts, which are 0.2 s on this path, and
// more where a busy machine made its first round trip long.
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

// serverProcess is set in processes of startServer, to the address to listen at.
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

// serveOneByte sends the first byte of each connection back, and reads no more.
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
