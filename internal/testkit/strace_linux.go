package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// descriptorsLine starts the line in which the child names its sockets.
const descriptorsLine = "fds of the connections: "

// PrintDescriptors prints the sockets of a child of UnderStrace. The child keeps
// them open, so that no descriptor is used twice.
func PrintDescriptors(fds []string) {
	os.Stdout.WriteString(descriptorsLine + strings.Join(fds, " ") + "\n")
}

// UnderStrace runs the calling test again, in a child process with env in its
// environment, and traces the given system calls. It returns the lines of the
// trace and the descriptors that the child printed.
func UnderStrace(t *testing.T, env, calls string) (trace []string, fds []int) {
	t.Helper()
	strace := Tool(t, "strace")
	file := filepath.Join(t.TempDir(), "strace")
	top, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.Command(strace, "-f", "-qq", "-e", "trace="+calls, "-e", "signal=none", "-o", file,
		os.Args[0], "-test.run=^"+top+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), env)
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "PTRACE") {
		Need(t, false, "needs permission to trace a child: "+string(out))
	}
	require.NoError(t, err, "%s", out)
	for line := range strings.Lines(string(out)) {
		if list, ok := strings.CutPrefix(line, descriptorsLine); ok {
			for _, s := range strings.Fields(list) {
				fd, err := strconv.Atoi(s)
				require.NoError(t, err)
				fds = append(fds, fd)
			}
		}
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n"), fds
}

// IsKeepAlive reports whether symbol is the C symbol of a keepalive option.
func IsKeepAlive(symbol string) bool {
	return symbol == "SO_KEEPALIVE" || symbol == "TCP_USER_TIMEOUT" || strings.HasPrefix(symbol, "TCP_KEEP")
}
