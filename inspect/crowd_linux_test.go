package inspect_test

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

const (
	crowdEnv     = "KEEPALIVE_TEST_CROWD" // a number makes TestCrowdHolder hold its part
	crowdHolders = 12
	crowdSockets = 200_000
	perHolder    = crowdSockets / 2 / crowdHolders // connections, each of two sockets
)

func crowdPort(holder int) uint16 { return uint16(2000 + holder) }

// TestCrowdHolder is a process that holds connections, not a test.
func TestCrowdHolder(t *testing.T) {
	var holder int
	if n, _ := fmt.Sscan(os.Getenv(crowdEnv), &holder); n != 1 {
		t.Skip("for other tests")
	}
	limit := unix.Rlimit{Cur: 2*perHolder + 100, Max: 2*perHolder + 100}
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	lc.KeepAlive = -1
	l, err := lc.Listen(t.Context(), "tcp4", fmt.Sprintf("127.0.0.1:%d", crowdPort(holder)))
	require.NoError(t, err)
	d := net.Dialer{KeepAlive: time.Hour}
	for range perHolder {
		c, err := d.Dial("tcp4", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		testkit.Accept(t, l, c)
	}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n') // until the parent ends
}

// 200,000 sockets: every one is listed, once, with its owner, and memory does
// not grow with them.
func TestCrowd(t *testing.T) {
	testkit.Long(t)
	testkit.Root(t)
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	testkit.Need(t, limit.Max > 2*perHolder+100, "needs more descriptors in a process")
	testkit.InNamespace(t, func() {
		require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("15000 64000"), 0))
		var holders []*bufio.Scanner
		for i := range crowdHolders {
			cmd := exec.Command("/proc/self/exe", "-test.run=^TestCrowdHolder$", "-test.timeout=5m")
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", crowdEnv, i))
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
			in, err := cmd.StdinPipe()
			require.NoError(t, err)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			defer cmd.Wait()
			defer cmd.Process.Kill() // closing would take longer
			defer in.Close()
			holders = append(holders, bufio.NewScanner(out))
		}
		for _, h := range holders {
			for h.Scan() && h.Text() != "ready" {
			}
			require.Equal(t, "ready", h.Text())
		}
		start := time.Now()
		seen := make(map[[2]netip.AddrPort]uint32, crowdSockets)
		keepalive := 0
		for s, err := range inspect.List(inspect.Filter{}) {
			require.NoError(t, err)
			seen[[2]netip.AddrPort{s.Local, s.Peer}] = s.Inode
			if s.Timer.Kind == "keepalive" {
				keepalive++
			}
		}
		t.Logf("listed in %v", time.Since(start))
		want := 2 * perHolder * crowdHolders
		require.Len(t, seen, want)
		assert.Equal(t, want/2, keepalive, "those that were dialed")
		for ends := range seen {
			if _, ok := seen[[2]netip.AddrPort{ends[1], ends[0]}]; !ok {
				t.Fatalf("%v is listed, its other end is not", ends)
			}
		}

		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n := 0
		for range inspect.List(inspect.Filter{Activity: true}) {
			n++
		}
		runtime.ReadMemStats(&after)
		assert.Equal(t, want, n)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), "bytes allocated for the list")

		start = time.Now()
		owners, err := inspect.FindOwners()
		require.NoError(t, err)
		t.Logf("owners found in %v", time.Since(start))
		for _, inode := range seen {
			if !owners.Has(inode) {
				t.Fatalf("inode %d has no owner", inode)
			}
		}
		one := list(t, inspect.Filter{Local: []string{fmt.Sprintf(":%d", crowdPort(3))}})
		assert.Len(t, one, perHolder, "the kernel's filter")
	})
}
