package trace

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/proc"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

func sleeping(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(testkit.Tool(t, "sleep"), "60")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd
}

// tracePID runs trace with --pid. As soon as the capture has started, it calls end, which ends
// the process.
func tracePID(t *testing.T, pid int, end func()) (code int, errs string) {
	t.Helper()
	out := begun{looks: make(chan struct{})}
	var stderr bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- cli.Run(commands, limited([]string{"--pid", fmt.Sprint(pid)}), &out, &stderr) }()
	select {
	case <-out.looks:
		end()
		code = <-done
	case code = <-done:
		assert.Fail(t, "it did not begin", stderr.String())
	}
	return code, stderr.String()
}

// trace ends when the process has ended, even if no parent has waited for the process.
func TestTraceEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	for name, wait := range map[string]bool{"zombie": false, "gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := sleeping(t)
			code, errs := tracePID(t, cmd.Process.Pid, func() {
				cmd.Process.Kill()
				if wait {
					cmd.Wait()
				}
			})
			assert.Equal(t, exit.Nothing, code)
			assert.Contains(t, errs, fmt.Sprintf("--pid %d: the process has ended", cmd.Process.Pid))
		})
	}
}

// Another process may get the number immediately.
func TestTraceDoesNotFollowAnotherProcess(t *testing.T) {
	t.Parallel()
	if !clitest.InOwnMounts(t) {
		return
	}
	for range 20 { // a thread of this program, or somebody else, may take the number
		first := sleeping(t)
		pid := first.Process.Pid
		taken := false
		code, errs := tracePID(t, pid, func() {
			first.Process.Kill()
			first.Wait()
			for range 20 {
				if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(fmt.Sprint(pid-1)), 0); err != nil {
					t.Skip("needs to choose the number of a process: ", err)
				}
				if taken = sleeping(t).Process.Pid == pid; taken {
					return
				}
			}
		})
		assert.Equal(t, exit.Nothing, code)
		assert.Contains(t, errs, fmt.Sprintf("--pid %d: the process has ended", pid))
		if taken {
			return
		}
	}
	t.Skip("needs the number of a process for another one")
}

// The number of a thread stands for its process, as in ls.
func TestTraceOfAThread(t *testing.T) {
	t.Parallel()
	ns := lab.NewNamespace(t)
	pid, _ := clitest.HoldIn(t, ns, "quick")
	for _, tid := range proc.Threads(pid) {
		if tid == pid {
			continue
		}
		code, out, errs := command("trace", "--netns", ns.Path(), "--pid", fmt.Sprint(tid), "--count", "1", "--for", "5s")
		assert.Equal(t, exit.OK, code, errs)
		assert.Contains(t, out, " probe ")
		return
	}
}
