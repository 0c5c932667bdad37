package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestMain(m *testing.M) {
	if os.Getenv("LISTEN_FDS") != "" { // started by systemd-socket-activate
		main()
		return
	}
	os.Exit(m.Run())
}

// TestActivation: a socket made and tuned as systemd does it, passed by
// systemd-socket-activate's protocol to this program.
func TestActivation(t *testing.T) {
	t.Parallel()
	lc := net.ListenConfig{KeepAlive: -1}
	l, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	unit := sockopt.Config{Idle: 60 * time.Second, Interval: 6 * time.Second, Count: 3}
	require.NoError(t, sockopt.Set(l, unit))
	f, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	defer f.Close()

	// LISTEN_PID has to be that of the program itself.
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0"`, "/proc/self/exe")
	cmd.Args[3], err = os.Executable()
	require.NoError(t, err)
	cmd.ExtraFiles = []*os.File{f}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	c, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	_, err = c.Read(make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Kill())
	cmd.Wait()
	assert.Contains(t, out.String(), "on idle=60s interval=6s count=3 user-timeout=off <nil>")
}

func TestWithoutSystemd(t *testing.T) {
	t.Parallel()
	_, err := inherited()
	assert.ErrorContains(t, err, "systemd passed no socket")
}

func TestUnits(t *testing.T) {
	t.Parallel()
	tool := testkit.Tool(t, "systemd-analyze")
	dir := t.TempDir()
	for _, name := range []string{"echo.socket", "echo.service"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		text = []byte(strings.Replace(string(text), "/usr/local/bin/systemd-socket", "/bin/true", 1)) // not installed
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	cmd := exec.Command(tool, "verify", "--man=no", filepath.Join(dir, "echo.socket"))
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.NotContains(t, string(out), "echo.")
}
