package lab

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
)

// retriesOf are those that hold for the socket of c.
func retriesOf(t *testing.T, c syscall.Conn) (r kernel.Retries) {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) { r, err = kernel.SystemRetriesOf(fd) }))
	require.NoError(t, err)
	return r
}

// TestDetectionBoundsOfThisMachine: peers that die on machines with limits of
// their own. Each is given up within the bounds that these limits make, in both
// directions. The times rest on kernel timers alone: a busy machine may see the
// error late, for which there is a second.
func TestDetectionBoundsOfThisMachine(t *testing.T) {
	t.Parallel()
	const busy = time.Second
	rtoMax := func(t *testing.T, c *net.TCPConn) {
		rc, err := c.SyscallConn()
		require.NoError(t, err)
		const tcpRTOMaxMS = 44
		require.NoError(t, rc.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, tcpRTOMaxMS, 1000) }))
		testkit.Need(t, err == nil, "needs Linux 6.15 (TCP_RTO_MAX_MS)")
	}
	for name, tt := range map[string]struct {
		sysctls map[string]string
		prepare func(*testing.T, *net.TCPConn)
		phase   timing.Phase
	}{
		"tcp_retries2=3":                         {map[string]string{"tcp_retries2": "3"}, nil, timing.PhaseInFlight},
		"tcp_retries2=0":                         {map[string]string{"tcp_retries2": "0"}, nil, timing.PhaseInFlight},
		"tcp_rto_max_ms=1000":                    {map[string]string{"tcp_retries2": "3", "tcp_rto_max_ms": "1000"}, nil, timing.PhaseInFlight},
		"TCP_RTO_MAX_MS=1000":                    {map[string]string{"tcp_retries2": "3"}, rtoMax, timing.PhaseInFlight},
		"a window that stays closed":             {map[string]string{"tcp_retries2": "2", "tcp_rto_max_ms": "1000"}, nil, timing.PhaseZeroWindow},
		"tcp_syn_retries=1":                      {map[string]string{"tcp_syn_retries": "1", "tcp_syn_linear_timeouts": "0"}, nil, timing.PhaseConnect},
		"tcp_syn_retries=1, linear_timeouts=1":   {map[string]string{"tcp_syn_retries": "1", "tcp_syn_linear_timeouts": "1"}, nil, timing.PhaseConnect},
		"tcp_syn_retries=4, tcp_rto_max_ms=1000": {map[string]string{"tcp_syn_retries": "2", "tcp_syn_linear_timeouts": "4", "tcp_rto_max_ms": "1000"}, nil, timing.PhaseConnect},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "tcp_retries2=3" {
				testkit.Long(t)
			}
			ns := NewNamespace(t)
			require.NoError(t, ns.Do(func() error {
				for sysctl, value := range tt.sysctls {
					err := os.WriteFile("/proc/sys/net/ipv4/"+sysctl, []byte(value), 0)
					testkit.Need(t, !errors.Is(err, os.ErrNotExist), "needs a kernel with net.ipv4."+sysctl)
					require.NoError(t, err)
				}
				var retries kernel.Retries
				var took time.Duration
				if tt.phase == timing.PhaseConnect {
					testkit.IP(t, "link add ka0 type veth peer name ka1", "link set ka1 up", "addr add 192.0.2.1/24 dev ka0", "link set ka0 up",
						"neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev ka0")
					var err error
					retries, err = kernel.SystemRetries()
					require.NoError(t, err)
					began := time.Now()
					_, err = net.Dial("tcp4", "192.0.2.9:80")
					took = time.Since(began)
					require.ErrorIs(t, err, unix.ETIMEDOUT)
				} else {
					client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
					if tt.prepare != nil {
						tt.prepare(t, client)
					}
					retries = retriesOf(t, client)
					if tt.phase == timing.PhaseZeroWindow {
						require.NoError(t, client.SetWriteDeadline(time.Now().Add(time.Second)))
						_, err := client.Write(make([]byte, 64<<20))
						require.ErrorIs(t, err, os.ErrDeadlineExceeded)
						testkit.DropReceived(t, client) // also the answers
					} else {
						testkit.DropReceived(t, server)
						_, err := client.Write([]byte("lost"))
						require.NoError(t, err)
					}
					began := time.Now()
					require.NoError(t, client.SetReadDeadline(began.Add(30*time.Second)))
					_, err := client.Read(make([]byte, 1))
					took = time.Since(began)
					require.ErrorIs(t, err, unix.ETIMEDOUT)
				}
				bounds, err := timing.DetectionBounds(platform.Settings{Known: kernel.SetOf(kernel.Options()...), Enabled: true, Idle: 7200 * time.Second, Interval: 75 * time.Second, Count: 9}, timing.Conditions{RTT: time.Millisecond, Retries: retries})
				require.NoError(t, err)
				b := bounds[tt.phase]
				t.Logf("%.2f s, promised %.2f s to %.2f s: %s", took.Seconds(), b.Earliest.Seconds(), b.Latest.Seconds(), b.Note)
				require.True(t, b.Promised())
				assert.GreaterOrEqual(t, took, b.Earliest)
				assert.LessOrEqual(t, took, b.Latest+busy)
				return nil
			}))
		})
	}
}
