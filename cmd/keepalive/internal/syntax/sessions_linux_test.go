package syntax_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// The real ssh says what it makes of the file.
func TestSSH(t *testing.T) {
	t.Parallel()
	withEach(t, "ssh", func(t *testing.T, _ syntax.Plan, text string) {
		want := regexp.MustCompile(`ServerAliveInterval (\d+)`).FindStringSubmatch(text)
		require.Len(t, want, 2)
		out := run(t, "ssh", "-G", "-F", file(t, "ssh_config", text), "example.com")
		assert.Contains(t, out, "\nserveraliveinterval "+want[1]+"\n")
		assert.Contains(t, out, "\nserveralivecountmax 3\n")
		assert.Contains(t, out, "\ntcpkeepalive yes\n")
	})
}

// The real sshd says what it makes of the file. It insists on a directory that its unit
// makes, and which it gets in a mount namespace of its own.
func TestSSHD(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	testkit.Tool(t, "/usr/sbin/sshd")
	key := filepath.Join(t.TempDir(), "key")
	run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	withEach(t, "sshd", func(t *testing.T, _ syntax.Plan, text string) {
		want := regexp.MustCompile(`ClientAliveInterval (\d+)`).FindStringSubmatch(text)
		require.Len(t, want, 2)
		out := run(t, "unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && mkdir /run/sshd && exec /usr/sbin/sshd -T -h "+key+" -f "+file(t, "sshd_config", text))
		assert.Contains(t, out, "\nclientaliveinterval "+want[1]+"\n")
		assert.Contains(t, out, "\nclientalivecountmax 3\n")
		assert.Contains(t, out, "tcpkeepalive yes\n")
	})
}

// A real OpenVPN reads the file, and says what it makes of it. Its device is the null
// device, and what it connects to is this test.
func TestOpenVPN(t *testing.T) {
	t.Parallel()
	withEach(t, "openvpn", func(t *testing.T, p syntax.Plan, text string) {
		t.Parallel()
		want := regexp.MustCompile(`(?m)^keepalive (\d+) (\d+)$`).FindStringSubmatch(text)
		require.Len(t, want, 3)
		path := file(t, "client.conf", text)
		log := filepath.Join(filepath.Dir(path), "log")
		start(t, nil, "openvpn", "--config", path, "--dev", "null", "--proto", "tcp-client", "--remote", "127.0.0.1", "1",
			"--connect-retry-max", "1", "--verb", "4", "--log", log)
		var out []byte
		wait(t, "openvpn has said its options", func() bool {
			out, _ = os.ReadFile(log)
			return regexp.MustCompile(`ping_rec_timeout_action`).Match(out)
		})
		assert.Contains(t, string(out), "ping_send_timeout = "+want[1]+"\n")
		assert.Contains(t, string(out), "ping_rec_timeout = "+want[2]+"\n")
	})
}
