package conffile_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// TestProgramsHaveTheseWords: whatever word a program prints of its own is known here.
func TestProgramsHaveTheseWords(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	ssh, err := exec.Command(testkit.Tool(t, "ssh"), "-F", "none", "-G", "host").Output()
	require.NoError(t, err)
	key := file(t, "x", "") + ".key"
	out, ok := run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	require.True(t, ok, out)
	require.NoError(t, os.Chmod(key, 0o644))
	// As root it wants /run/sshd, which its service makes.
	sshd, err := exec.Command(testkit.Tool(t, "setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups",
		testkit.Tool(t, "sshd"), "-T", "-h", key, "-f", "/dev/null").Output()
	require.NoError(t, err)
	postgres, err := exec.Command(postgresBinary(t, "postgres"), "--describe-config").Output()
	require.NoError(t, err)
	for format, printed := range map[string][]byte{"ssh": ssh, "sshd": sshd, "postgresql": postgres} {
		n, text := 0, ""
		for line := range strings.Lines(string(printed)) {
			if name := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '\t' || c == '\n' }); len(name) > 0 {
				n++
				text += name[0] + " 1\n"
			}
		}
		assert.Greater(t, n, 50, format)
		for _, r := range one(t, "f", text, format).All() {
			assert.False(t, r.Kind == conffile.Unread && strings.Contains(r.Text, "not known to this reader"), "%s: %s", format, r.Text)
		}
	}
}

// TestProgramsRefuseOtherWords, which is why a file with some is no pass.
func TestProgramsRefuseOtherWords(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	for _, tt := range []struct {
		text string
		args []string
	}{
		{"Hots *\n", []string{"ssh", "-G", "host", "-F"}},
		{"Prot 22\n", []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", testkit.Tool(t, "sshd"), "-t", "-f"}},
		{"bogus 1\n", []string{"redis-server"}},
	} {
		out, ok := run(t, tt.args[0], append(tt.args[1:], file(t, "f", tt.text))...)
		assert.False(t, ok, out)
		assert.Regexp(t, `(?i)bad (configuration option|directive)|fatal config file error`, out)
	}
}
