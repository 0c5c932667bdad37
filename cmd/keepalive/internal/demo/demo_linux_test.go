package demo

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A network namespace begins with its loopback interface down.
func TestDemoWithoutLoopback(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	cmd := exec.Command(clitest.Program(t), "demo")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNET}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run()
	assert.Equal(t, exit.Problems, cmd.ProcessState.ExitCode())
	assert.Empty(t, out.String())
	assert.Regexp(t, `^keepalive: library: .*network is unreachable: the loopback interface lo is down; ip link set lo up makes it work\n$`, errs.String())
}
