package align_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// TestProbesRefreshConntrack is what the profile linux-conntrack calls verified: on the
// connection tracking of this kernel, probes start both timeouts again, that of open and
// that of half-closed connections, and without probes both are over. Nothing is picked up
// again in the middle, as behind NAT.
func TestProbesRefreshConntrack(t *testing.T) {
	t.Parallel()
	testkit.Need(t, !lab.InUserNamespace(), "needs root outside of user namespaces")
	nft := testkit.Tool(t, "nft")
	testkit.InNamespace(t, func() {
		const folder = "/proc/sys/net/netfilter/nf_conntrack_tcp_"
		rules := exec.Command(nft, "-f", "-")
		rules.Stdin = strings.NewReader("table ip t { chain c { type filter hook input priority 0; ct state invalid drop; }; }")
		out, err := rules.CombinedOutput()
		testkit.Need(t, err == nil, "needs connection tracking: "+string(out))
		closeWait, err := os.ReadFile(folder + "timeout_close_wait")
		require.NoError(t, err)
		assert.Equal(t, "60\n", string(closeWait), "the default")
		for name, value := range map[string]string{"timeout_established": "2", "timeout_close_wait": "2", "timeout_unacknowledged": "2", "loose": "0"} {
			require.NoError(t, os.WriteFile(folder+name, []byte(value), 0o644))
		}
		probes := sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 9}
		ends := map[string][2]*net.TCPConn{}
		for _, half := range []string{"open", "half-closed"} {
			for _, probed := range []string{"probed", "silent"} {
				client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
				if probed == "probed" {
					require.NoError(t, sockopt.Set(client, probes))
				}
				if half == "half-closed" {
					require.NoError(t, client.CloseWrite())
				}
				ends[half+", "+probed] = [2]*net.TCPConn{client, server}
			}
		}
		time.Sleep(7 * time.Second / 2) // a busy machine only makes it longer, and probes leave the kernel
		for name, pair := range ends {
			client, server := pair[0], pair[1]
			_, err := server.Write([]byte{1})
			require.NoError(t, err)
			wait := 5 * time.Second
			if strings.HasSuffix(name, "silent") {
				wait = time.Second / 2
			}
			client.SetReadDeadline(time.Now().Add(wait))
			_, err = client.Read(make([]byte, 1))
			if strings.HasSuffix(name, "silent") {
				assert.ErrorIs(t, err, os.ErrDeadlineExceeded, name)
			} else {
				assert.NoError(t, err, name)
			}
		}
	})
}
