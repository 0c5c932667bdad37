package plan

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// TestAsOnThisMachine knows what a program leaves to the system, if it runs here.
func TestAsOnThisMachine(t *testing.T) {
	t.Parallel()
	testkit.InNamespace(t, func() {
		for name, value := range map[string]string{"time": "50", "intvl": "5", "probes": "3"} {
			require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/tcp_keepalive_"+name, []byte(value), 0o644))
		}
		code, _, errs := command("plan", "--path", "box:2m", "--as", "pgjdbc", "--here")
		assert.Equal(t, exit.OK, code, errs)
		code, _, errs = command("plan", "--path", "box:60s", "--as", "pgjdbc", "--here")
		assert.Equal(t, exit.Problems, code)
		assert.Contains(t, errs, "warning: loses: its connections have 50s, 5s, 3: with ")
		code, _, _ = command("plan", "--path", "box:2m", "--as", "pgjdbc")
		assert.Equal(t, exit.Unknown, code, "for other machines")
	})
}

// TestPlanOnThisMachine uses the sysctls of its network namespace, and names them.
func TestPlanOnThisMachine(t *testing.T) {
	t.Parallel()
	testkit.InNamespace(t, func() {
		require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/tcp_retries2", []byte("5"), 0o644))
		require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/tcp_syn_retries", []byte("2"), 0o644))
		code, out, errs := command("plan", "--path", "aws-nlb-tcp", "--no-user-timeout", "--here")
		assert.Equal(t, exit.OK, code, errs)
		assert.Contains(t, out, "net.ipv4.tcp_retries2=5 (as it is set) up to 29s")
		assert.NotContains(t, out, "net.ipv4.tcp_retries2=8", "which would take longer")
		assert.Regexp(t, `in flight +\S+ to 28\.\ds after the write`, out)
		assert.Contains(t, out, "net.ipv4.tcp_syn_retries=2 decides\n")

		_, out, _ = command("plan", "--path", "aws-nlb-tcp", "--no-user-timeout")
		assert.Contains(t, out, "net.ipv4.tcp_retries2=15 (the default of Linux) up to 1061s", "for other machines")
	})
}
