package conffile_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A real ssh ends a session whose ServerAliveCountMax is 0 in the first silence, and one of
// which some messages may be unanswered is not ended, because sshd answers them. They talk
// through a pipe; /run/sshd, which sshd wants, is in a mount namespace of its own.
func TestSSHEndsSo(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	ssh, sshd := testkit.Tool(t, "ssh"), testkit.Tool(t, "sshd")
	dir := filepath.Dir(file(t, "x", ""))
	for _, name := range []string{"host", "user"} {
		out, ok := run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name))
		require.True(t, ok, out)
	}
	conf, serve := filepath.Join(dir, "sshd_config"), filepath.Join(dir, "serve")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, "HostKey %s/host\nAuthorizedKeysFile %[1]s/user.pub\nPermitRootLogin yes\nStrictModes no\nUsePAM no\n", dir), 0o600))
	require.NoError(t, os.WriteFile(serve, fmt.Appendf(nil, "mount -t tmpfs x /run && mkdir -m 755 /run/sshd && exec %s -i -f %s\n", sshd, conf), 0o600))
	for max, ends := range map[int]bool{0: true, 9: false} {
		t.Run(fmt.Sprint("ServerAliveCountMax ", max), func(t *testing.T) {
			t.Parallel()
			text := fmt.Sprintf("ServerAliveInterval 1\nServerAliveCountMax %d\n", max)
			l := one(t, "ssh_config", text, "").Legs[0]
			assert.Equal(t, ends, l.Closing.After > 0 && l.Heartbeat == 0, "%+v", l)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, ssh, "-F", file(t, "config", text), "-i", filepath.Join(dir, "user"), "-o", "BatchMode=yes",
				"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ProxyCommand=unshare -m sh "+serve, "root@test", "sleep 3; echo alive")
			out, err := cmd.CombinedOutput()
			if ends {
				assert.Error(t, err)
				assert.Contains(t, string(out), "Timeout, server test not responding")
				return
			}
			require.NoError(t, err, string(out))
			assert.Contains(t, string(out), "alive")
		})
	}
}
