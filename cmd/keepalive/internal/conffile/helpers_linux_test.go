package conffile_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/freeport"
)

// What the reader says is compared with what the program does: with the options of a real
// socket of it, or with its own parser.

// holds is what a socket of a leg shows on this machine.
func holds(t *testing.T, l conffile.Leg) string {
	t.Helper()
	defaults, err := kernel.SystemDefaults()
	require.NoError(t, err)
	return kernel.Linux().Effect(kernel.Request(l.Config), defaults).String()
}

// file writes a file for a program that may run as another user.
func file(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// free returns ports that nobody listens on.
func free(t *testing.T, n int) []any {
	t.Helper()
	ports := make([]any, n)
	for i := range ports {
		p, err := freeport.Find()
		require.NoError(t, err)
		ports[i] = p
	}
	return ports
}

func dial(t *testing.T, port any) net.Conn {
	t.Helper()
	var conn net.Conn
	testkit.Until(t, fmt.Sprintf("something listens on port %d", port), func() bool {
		c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		conn = c
		return err == nil
	})
	t.Cleanup(func() { conn.Close() })
	return conn
}

// settles waits until the program's socket, with this local address and peer, has the
// settings, as a program sets them one after the other.
func settles(t *testing.T, local, peer net.Addr, want, why string) {
	t.Helper()
	var got string
	look := func() bool {
		owners, err := inspect.FindOwners()
		require.NoError(t, err)
		for r, err := range inspect.List(inspect.Filter{Local: []string{local.String()}, Peer: []string{peer.String()}, Owners: owners, Settings: true}) {
			require.NoError(t, err)
			if r.Settings.Known != 0 {
				got = r.Settings.String()
				return got == want
			}
		}
		return false
	}
	for range 100 {
		if look() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	assert.Equal(t, want, got, why)
}

// run starts a program and returns what it prints, and whether it succeeded.
func run(t *testing.T, name string, args ...string) (string, bool) {
	t.Helper()
	out, err := exec.Command(testkit.Tool(t, name), args...).CombinedOutput()
	return string(out), err == nil
}
