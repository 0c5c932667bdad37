package inspect_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// multipathListener is one of Multipath TCP, or of plain TCP, to which a client of
// Multipath TCP falls back.
func multipathListener(t *testing.T, multipath bool, address string) net.Listener {
	t.Helper()
	var lc net.ListenConfig
	lc.SetMultipathTCP(multipath)
	l, err := lc.Listen(context.Background(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func multipathPair(t *testing.T, multipath bool, address string) (client, server *net.TCPConn) {
	t.Helper()
	l := multipathListener(t, multipath, address)
	var d net.Dialer
	d.SetMultipathTCP(true)
	c, err := d.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	return testkit.Closing(t, c.(*net.TCPConn)), testkit.Accept(t, l, c).(*net.TCPConn)
}

// becomes waits until Alive says so, and everything else that says something about
// the state says the same.
func becomes(t *testing.T, c *net.TCPConn, want error, states ...inspect.State) {
	t.Helper()
	var got error
	testkit.Until(t, fmt.Sprintf("Alive says %v, it said %v", want, got), func() bool {
		got = inspect.Alive(c)
		return errors.Is(got, want)
	})
	r := of(t, c)
	assert.Contains(t, states, r.State)
	if r.State == inspect.Closed {
		return // which no list has
	}
	listed := func(states []inspect.State) bool {
		return slices.ContainsFunc(list(t, inspect.Filter{States: states, Activity: true}), func(s inspect.Report) bool {
			return s.Inode == r.Inode && slices.Contains(states, s.State)
		})
	}
	testkit.Until(t, "the list of its state has it", func() bool { return listed(states) })
	others := slices.DeleteFunc(slices.Clone(allStates), func(s inspect.State) bool { return slices.Contains(states, s) })
	assert.False(t, listed(others), "a list of other states")
}

// What ends a Multipath TCP connection is seen at once, although its subflow stays
// established; and it takes no byte away.
func TestTheEndOfMultipathTCP(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	for _, multipath := range []bool{true, false} {
		name := "Multipath TCP"
		if !multipath {
			name = "fallen back to TCP"
		}
		t.Run(name, func(t *testing.T) {
			for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
				open := func() (client, server *net.TCPConn) {
					client, server = multipathPair(t, multipath, address)
					_, err := server.Write([]byte("last words"))
					require.NoError(t, err)
					becomes(t, client, nil, inspect.Established)
					becomes(t, server, nil, inspect.Established)
					return client, server
				}
				client, server := open()
				require.NoError(t, server.CloseWrite())
				becomes(t, client, inspect.ErrPeerClosed, inspect.CloseWait)
				becomes(t, server, inspect.ErrNotConnected, inspect.FinWait1, inspect.FinWait2)
				said, err := io.ReadAll(client)
				require.NoError(t, err)
				assert.Equal(t, "last words", string(said))
				require.NoError(t, client.CloseWrite())
				testkit.Until(t, "both sides are closed", func() bool { return of(t, client).State == inspect.Closed })
				assert.ErrorIs(t, inspect.Alive(client), inspect.ErrGone)

				client, server = open()
				require.NoError(t, server.Close())
				becomes(t, client, inspect.ErrPeerClosed, inspect.CloseWait)

				client, server = open()
				require.NoError(t, server.SetLinger(0))
				require.NoError(t, server.Close())
				becomes(t, client, inspect.ErrGone, inspect.Closed)
				_, err = io.ReadAll(client)
				assert.ErrorIs(t, err, unix.ECONNRESET, "its error is still there")
			}
		})
	}
}

const multipathPeerEnv = "KEEPALIVE_TEST_MULTIPATH_PEER"

// TestMultipathPeer is the process of the test below, not a test.
func TestMultipathPeer(t *testing.T) {
	address := os.Getenv(multipathPeerEnv)
	if address == "" {
		t.Skip("for other tests")
	}
	var d net.Dialer
	d.SetMultipathTCP(true)
	c, err := d.Dial("tcp", address)
	require.NoError(t, err)
	defer c.Close()
	bufio.NewReader(os.Stdin).ReadString('\n')
}

func TestMultipathTCPWithAPeerThatIsKilled(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	for _, unread := range []bool{false, true} {
		l := multipathListener(t, true, "127.0.0.1:0")
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestMultipathPeer$")
		cmd.Env = append(os.Environ(), multipathPeerEnv+"="+l.Addr().String())
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		defer in.Close()
		testkit.Start(t, cmd)
		conn, err := l.Accept()
		require.NoError(t, err)
		c := testkit.Closing(t, conn.(*net.TCPConn))
		want, states := inspect.ErrPeerClosed, []inspect.State{inspect.CloseWait}
		if unread { // then the kernel resets
			_, err := c.Write([]byte("unread"))
			require.NoError(t, err)
			testkit.Until(t, "it has arrived", func() bool { return of(t, c).SendQueue == 0 })
			want, states = inspect.ErrGone, []inspect.State{inspect.Closed}
		}
		becomes(t, c, nil, inspect.Established)
		require.NoError(t, cmd.Process.Kill())
		becomes(t, c, want, states...)
		cmd.Wait()
	}
}

// One subflow dies, by itself: the connection lives. Then the other one does: it
// does not answer, though the kernel gives it up only after a minute.
func TestMultipathTCPThatLosesItsSubflows(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	ss := testkit.Tool(t, "ss")
	testkit.InNamespace(t, func() {
		testkit.IP(t, "mptcp limits set subflow 2 add_addr_accepted 2", "mptcp endpoint add 127.0.0.2 id 2 dev lo subflow")
		client, server := multipathPair(t, true, "127.0.0.1:0")
		require.NoError(t, sockopt.Set(client, asked))
		_, err := server.Write([]byte("hello")) // the other subflow takes a complete handshake
		require.NoError(t, err)
		_, err = io.ReadFull(client, make([]byte, 5))
		require.NoError(t, err)
		inode := of(t, client).Inode
		subflows := func() (n int) {
			for _, s := range list(t, inspect.Filter{Activity: true}) {
				if s.Inode == inode {
					assert.Equal(t, inspect.Established, s.Subflow)
					n++
				}
			}
			return n
		}
		testkit.Until(t, "the second subflow", func() bool { return subflows() == 2 })
		kill := func(source string) {
			out, err := exec.Command(ss, "-K", "-t", "src", source, "dport", "=", fmt.Sprint(server.LocalAddr().(*net.TCPAddr).Port)).CombinedOutput()
			require.NoError(t, err, "%s", out)
		}
		kill("127.0.0.1")
		testkit.Until(t, "the first subflow is gone", func() bool { return subflows() == 1 })
		for _, c := range []*net.TCPConn{client, server} {
			becomes(t, c, nil, inspect.Established)
			r := of(t, c)
			assert.NotErrorIs(t, r.Unknown, inspect.ErrGone)
			assert.ErrorContains(t, r.Unknown, "the first subflow, which has the timer, is gone")
			_, err := r.NextProbe()
			assert.ErrorIs(t, err, sockopt.ErrUnknown)
		}
		_, err = server.Write([]byte("alive"))
		require.NoError(t, err)
		_, err = io.ReadFull(client, make([]byte, 5))
		require.NoError(t, err, "it is")

		kill("127.0.0.2")
		testkit.Until(t, "the second subflow is gone", func() bool { return subflows() == 0 })
		assert.ErrorIs(t, inspect.Alive(client), inspect.ErrSuspect)
		assert.ErrorIs(t, inspect.Alive(server), inspect.ErrSuspect)
		assert.True(t, pointerTo(of(t, client)).Multipath)
	})
}

// A peer that falls silent: one subflow, whose probes have no answer.
func TestMultipathTCPWithASilentPeer(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	testkit.InNamespace(t, func() {
		err := os.WriteFile("/proc/sys/net/mptcp/close_timeout", []byte("1"), 0)
		testkit.Need(t, err == nil, "needs a kernel with net.mptcp.close_timeout")
		client, _ := multipathPair(t, true, "127.0.0.1:0")
		require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 1}))
		began := time.Now()
		retries, err := kernel.SystemRetries()
		require.NoError(t, err)
		bounds, err := timing.DetectionBounds(of(t, client).Settings, timing.Conditions{Retries: retries, Multipath: true})
		require.NoError(t, err)
		bound := bounds[timing.PhaseIdle]
		testkit.IP(t, "link set lo down")
		down := time.Now()
		testkit.Until(t, "the first probe", func() bool { return inspect.Alive(client) != nil })
		assert.ErrorIs(t, inspect.Alive(client), inspect.ErrSuspect)
		h, err := inspect.NewHandle(client)
		require.NoError(t, err)
		testkit.Until(t, "the subflow is given up", func() bool {
			return strings.HasSuffix(h.Alive().Error(), "no subflow is left")
		})
		assert.ErrorIs(t, inspect.Alive(client), inspect.ErrSuspect, "the socket lives on for net.mptcp.close_timeout")
		testkit.Until(t, "it is given up", func() bool { return !errors.Is(inspect.Alive(client), inspect.ErrSuspect) })
		// The last segment came between the two moments.
		took, silent := time.Since(began), time.Since(down)
		t.Logf("%.2f s, promised %.2f s to %.2f s: %s", took.Seconds(), bound.Earliest.Seconds(), bound.Latest.Seconds(), bound.Note)
		assert.ErrorIs(t, inspect.Alive(client), inspect.ErrGone)
		assert.GreaterOrEqual(t, took, bound.Earliest)
		assert.LessOrEqual(t, silent, bound.Latest+time.Second, "a second for a busy machine")
	})
}
