package testkit

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Start starts a command that is killed when the test or this program ends. For the
// latter, the kernel kills the command when the thread that started it ends
// (prctl(PR_SET_PDEATHSIG)). Go ends a thread together with a goroutine that left it
// locked, so that goroutine waits for the end of the test.
func Start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		<-ended
		runtime.UnlockOSThread()
	}()
	err := <-started
	t.Cleanup(func() {
		if err == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
		close(ended)
	})
	require.NoError(t, err)
}
