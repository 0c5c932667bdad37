package sockopt_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// tracedMode says to the test binary, started again by TestPinInTheKernel, what
// to do: "file/pinned", "buffers/bare" or "PINNING/TRANSFER".
const tracedMode = "KEEPALIVE_TEST_TRACED"

// TestTraced is the process that strace watches.
func TestTraced(t *testing.T) {
	mode := os.Getenv(tracedMode)
	if mode == "" {
		return // nothing to do but for TestPinInTheKernel
	}
	pin := map[bool]func(net.Conn) net.Conn{true: sockopt.Pin, false: bare}[strings.HasSuffix(mode, "/pinned")]
	what, which, _ := strings.Cut(mode, "/")
	switch what {
	case "file":
		sendFile(t, pin)
	case "buffers":
		sendBuffers(t, pin)
	default:
		require.Contains(t, pinnings, what)
		require.Contains(t, transfers, which)
		relay(t, which, what)
	}
}

// A line of strace -f, also of a call that another thread interrupted.
var tracedCall = regexp.MustCompile(`(?:^\d+ +|<\.\.\. )(sendfile|sendfile64|splice|writev)(?:\(| resumed>).* = (\d+)`)

// trace runs mode below strace and returns how many bytes each system call
// moved, and how often writev was called.
func trace(t *testing.T, strace, mode string) (moved map[string]int, writevs int) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "strace")
	executable, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(strace, "-f", "-qq", "-o", log, "-e", "signal=none", "-e", "trace=/^(sendfile|splice|writev)",
		executable, "-test.run=^TestTraced$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), tracedMode+"="+mode)
	output, err := cmd.CombinedOutput()
	testkit.Need(t, err == nil || !strings.Contains(string(output), "ptrace"), "needs permission for ptrace: "+string(output))
	require.NoError(t, err, "%s", output)
	require.Contains(t, string(output), "--- PASS: TestTraced")
	calls, err := os.ReadFile(log)
	require.NoError(t, err)
	moved = map[string]int{}
	for line := range strings.Lines(string(calls)) {
		if call := tracedCall.FindStringSubmatch(line); call != nil {
			n, err := strconv.Atoi(call[2])
			require.NoError(t, err)
			name := strings.TrimSuffix(call[1], "64")
			moved[name] += n
			if name == "writev" {
				writevs++
			}
		}
	}
	return moved, writevs
}

// The kernel moves the data for a pinned connection as it does for a bare one.
func TestPinInTheKernel(t *testing.T) {
	t.Parallel()
	strace := testkit.Tool(t, "strace")
	for what, want := range map[string]map[string]int{
		"file":    {"sendfile": payloadSize},
		"buffers": {"writev": 6},
	} {
		for _, who := range []string{"bare", "pinned"} {
			t.Run(what+"/"+who, func(t *testing.T) {
				t.Parallel()
				moved, writevs := trace(t, strace, what+"/"+who)
				assert.Equal(t, want, moved)
				assert.Equal(t, map[bool]int{true: 1}[what == "buffers"], writevs)
			})
		}
	}
	for pinning := range pinnings {
		for transfer := range transfers {
			if pinning == "pinned to bare" && (transfer == "CopyN from a connection" || transfer == "ReadFrom") {
				continue // only net's own ReadFrom is asked, and it does not know the source
			}
			t.Run(pinning+"/"+transfer, func(t *testing.T) {
				t.Parallel()
				moved, _ := trace(t, strace, pinning+"/"+transfer)
				assert.Equal(t, map[string]int{"splice": 2 * payloadSize}, moved, "into a pipe and out of it")
			})
		}
	}
}
