package trace

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// Whichever signal ends the program, the picture of the captured segments is drawn. A signal
// that was ignored when the program started, as with nohup, does not end it.
func TestInterruptedTraceDrawsWhatItSaw(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	keepalive := clitest.Program(t)
	for name, row := range map[string]struct {
		ignored []syscall.Signal
		trap    string // the same, for the shell
		signal  syscall.Signal
	}{
		"INT":   {signal: unix.SIGINT},
		"TERM":  {signal: unix.SIGTERM},
		"HUP":   {signal: unix.SIGHUP},
		"nohup": {[]syscall.Signal{unix.SIGHUP}, "trap '' HUP;", unix.SIGTERM},
		"a job": {nil, "trap '' INT;", unix.SIGINT},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(row.signal) {
				t.Skip("needs who began the tests not to ignore the signal")
			}
			drawing := filepath.Join(t.TempDir(), "trace.svg")
			cmd := exec.Command("/bin/sh", "-c", row.trap+` exec "$@"`, "sh", keepalive, "trace", "--port", "9", "--for", "30s", "--svg", drawing) // of which nothing is seen
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			_, err = out.Read(make([]byte, 1)) // the titles: it looks
			require.NoError(t, err)
			for _, s := range row.ignored {
				assert.True(t, ignores(t, cmd.Process.Pid, s), s)
				require.NoError(t, cmd.Process.Signal(s))
			}
			require.NoError(t, cmd.Process.Signal(row.signal))
			cmd.Wait()
			assert.Equal(t, exit.Nothing, cmd.ProcessState.ExitCode(), cmd.ProcessState)
			info, err := os.Stat(drawing)
			require.NoError(t, err)
			assert.NotZero(t, info.Size())
		})
	}
}

// ignores reports whether a process ignores a signal.
func ignores(t *testing.T, pid int, s syscall.Signal) bool {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, mask, _ := strings.Cut(string(status), "\nSigIgn:\t")
	mask, _, _ = strings.Cut(mask, "\n")
	bits, err := strconv.ParseUint(mask, 16, 64)
	require.NoError(t, err)
	return bits&(1<<(s-1)) != 0
}
