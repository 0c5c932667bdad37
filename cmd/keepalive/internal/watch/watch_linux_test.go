package watch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestWatchPrintsTablesWhereThereIsNoTerminal(t *testing.T) {
	t.Parallel()
	flags := clitest.Ours(t, sockopt.Config{Idle: 100 * time.Second})
	code, out, errs := command(append([]string{"watch", "--interval", "100ms", "--rounds", "2", "--sort", "next"}, flags...)...)
	require.Equal(t, exit.OK, code, errs)
	assert.Equal(t, 2, strings.Count(out, "STATE "))
	assert.Equal(t, 2, strings.Count(out, "\nESTAB "))
	assert.NotContains(t, out, "\x1b")
}

// However watch ends, it restores the terminal.
func TestWatchOnATerminal(t *testing.T) {
	clitest.InTurn(t)
	watch := append([]string{"watch", "--interval", "200ms"}, clitest.Ours(t, sockopt.Config{Idle: 100 * time.Second})...)
	keepalive := clitest.Program(t)
	typed := func(s string) func(*clitest.PTY, *exec.Cmd) {
		return func(p *clitest.PTY, _ *exec.Cmd) { p.Master.WriteString(s) }
	}
	sent := func(s syscall.Signal) func(*clitest.PTY, *exec.Cmd) {
		return func(_ *clitest.PTY, c *exec.Cmd) { c.Process.Signal(s) }
	}
	for _, tt := range []struct {
		rule   string
		quit   func(*clitest.PTY, *exec.Cmd)
		signal syscall.Signal // of which it dies
		code   int
	}{
		{"q", typed("q"), 0, 0},
		{"Ctrl-C", typed("\x03"), 0, 0},
		{"SIGTERM", sent(unix.SIGTERM), unix.SIGTERM, 0},
		{"SIGINT", sent(unix.SIGINT), unix.SIGINT, 0},
		{"SIGHUP", sent(unix.SIGHUP), unix.SIGHUP, 0},
		{"SIGABRT", sent(unix.SIGABRT), 0, 2}, // with the stacks, as any Go program
		{"SIGSEGV", sent(unix.SIGSEGV), 0, 2},
		{"SIGQUIT", sent(unix.SIGQUIT), 0, 2},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			p := clitest.OpenPTY(t)
			p.Resize(t, 80, 20)
			before := p.Mode(t)
			cmd := p.Start(t, keepalive, watch...)
			screen := p.Wait(t, "the first frame", "q quit")
			assert.Contains(t, screen, clitest.OtherScreen)
			system := testkit.Untouched()
			assert.Regexp(t, fmt.Sprintf(`ESTAB.* 100/%d\*/%d\* `, system.Interval, system.Count), screen, "the settings in 80 columns")
			assert.NotEqual(t, before, p.Mode(t))
			tt.quit(p, cmd)
			cmd.Wait()
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if tt.signal != 0 {
				assert.Equal(t, tt.signal, status.Signal(), "who waits for it sees what it died of")
			} else {
				assert.Equal(t, tt.code, status.ExitStatus())
			}
			end := p.Wait(t, "the end", clitest.OwnScreen)
			assert.Contains(t, end, "\x1b[?25h", "the cursor is shown again")
			assert.Equal(t, before, p.Mode(t), "the terminal is as it was")
		})
	}
	t.Run("keys", func(t *testing.T) {
		t.Parallel()
		p := clitest.OpenPTY(t)
		p.Resize(t, 200, 20)
		cmd := p.Start(t, keepalive, watch...)
		p.Wait(t, "the first frame", "PROCESS")
		p.Resize(t, 60, 10)
		p.Wait(t, "a narrower frame", "no room for")
		p.Master.WriteString("w")
		p.Wait(t, "all columns", "columns of text 1-60 of ")
		p.Master.WriteString("\x1b[C")
		p.Wait(t, "to the right", "columns of text 9-68 of ")
		p.Master.WriteString("w?")
		p.Wait(t, "the help", "any key goes back")
		p.Master.WriteString(" s")
		p.Wait(t, "sorted", "sort: next")
		p.Master.WriteString("/nothing-has-this")
		p.Wait(t, "what is typed", "find: nothing-has-this_")
		p.Wait(t, "no row is left", "rows 0-0 of 0 found in 1")
		p.Master.WriteString("\x1b")
		p.Wait(t, "all rows again", "rows 1-1 of 1  sort")
		p.Master.WriteString("q")
		require.NoError(t, cmd.Wait())
	})
	t.Run("nohup", func(t *testing.T) { // a signal that is ignored stays ignored
		t.Parallel()
		p := clitest.OpenPTY(t)
		p.Resize(t, 80, 20)
		cmd := p.Start(t, "/bin/sh", append([]string{"-c", `trap "" HUP; exec "$0" "$@"`, keepalive}, watch...)...)
		p.Wait(t, "the first frame", "q quit")
		require.NoError(t, cmd.Process.Signal(unix.SIGHUP))
		p.Wait(t, "another frame", "q quit")
		p.Master.WriteString("q")
		require.NoError(t, cmd.Wait())
	})
	t.Run("SIGTERM while the screen takes nothing", func(t *testing.T) { // a write that never ends
		t.Parallel()
		keys, screen := clitest.OpenPTY(t), clitest.OpenStuckPTY(t)
		before := keys.Mode(t)
		cmd := exec.Command(keepalive, "watch", "--interval", "100ms", "--local", "192.0.2.77")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = keys.Slave, screen, screen
		require.NoError(t, cmd.Start())
		defer cmd.Process.Kill()
		testkit.Until(t, "the keyboard is raw", func() bool { return keys.Mode(t) != before })
		testkit.Until(t, "it waits for the screen", func() bool {
			tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", cmd.Process.Pid))
			for _, task := range tasks {
				if call, err := os.ReadFile(task); err == nil && strings.HasPrefix(string(call), fmt.Sprintf("%d 0x1 ", unix.SYS_WRITE)) {
					return true
				}
			}
			return false
		})
		require.NoError(t, cmd.Process.Signal(unix.SIGTERM))
		cmd.Wait()
		assert.Equal(t, unix.SIGTERM, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
		assert.Equal(t, before, keys.Mode(t), "typing is seen again")
	})
	t.Run("Ctrl-Z", func(t *testing.T) {
		t.Parallel()
		bash := testkit.Tool(t, "bash")
		p := clitest.OpenPTY(t)
		p.Resize(t, 80, 20)
		before := p.Mode(t)
		script := `set -m; "$0" "$@"; echo "stopped with $?"; read -r line; fg >/dev/null; echo "ended with $?"`
		cmd := p.Start(t, bash, append([]string{"-c", script, keepalive}, watch...)...)
		p.Wait(t, "the first frame", "q quit")
		p.Master.WriteString("\x1a")
		stopped := p.Wait(t, "stopped", "stopped with 148") // 128 + SIGTSTP
		assert.Contains(t, stopped, clitest.OwnScreen)
		assert.Equal(t, before, p.Mode(t), "the shell has its terminal")
		p.Master.WriteString("\n")
		again := p.Wait(t, "continued", "q quit")
		assert.Contains(t, again, clitest.OtherScreen)
		assert.NotEqual(t, before, p.Mode(t))
		p.Master.WriteString("q")
		p.Wait(t, "the end", "ended with 0")
		require.NoError(t, cmd.Wait())
		assert.Equal(t, before, p.Mode(t))
	})
	t.Run("SIGTSTP where nobody could continue it", func(t *testing.T) {
		t.Parallel()
		p := clitest.OpenPTY(t)
		p.Resize(t, 80, 20)
		cmd := p.Start(t, keepalive, watch...)
		p.Wait(t, "the first frame", "q quit")
		require.NoError(t, cmd.Process.Signal(unix.SIGTSTP))
		p.Wait(t, "the other screen was left", clitest.OwnScreen)
		p.Wait(t, "and is back", "q quit")
		p.Master.WriteString("q")
		require.NoError(t, cmd.Wait())
	})
	t.Run("SIGSTOP, and a shell that reset the terminal", func(t *testing.T) {
		t.Parallel()
		p := clitest.OpenPTY(t)
		p.Resize(t, 80, 20)
		before := p.Mode(t)
		cmd := p.Start(t, keepalive, watch...)
		p.Wait(t, "the first frame", "q quit")
		raw := p.Mode(t)
		require.NoError(t, cmd.Process.Signal(unix.SIGSTOP))
		testkit.Until(t, "it is stopped", func() bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
			return err == nil && strings.Contains(string(stat), ") T ")
		})
		require.NoError(t, unix.IoctlSetTermios(int(p.Slave.Fd()), unix.TCSETS, &before))
		require.NoError(t, cmd.Process.Signal(unix.SIGCONT))
		p.Wait(t, "it shows itself again", clitest.OtherScreen)
		testkit.Until(t, "the terminal is raw again", func() bool { return p.Mode(t) == raw })
		p.Master.WriteString("q")
		require.NoError(t, cmd.Wait())
		assert.Equal(t, before, p.Mode(t))
	})
}

// Neither a panic nor an output that fails leaves the terminal in raw mode.
func TestTheTerminalIsLeftWhateverGoesWrong(t *testing.T) {
	t.Parallel()
	keys, display := clitest.OpenPTY(t), clitest.OpenPTY(t)
	display.Resize(t, 80, 20)
	before := keys.Mode(t)
	term := &screen{in: keys.Slave, out: display.Slave}

	require.NoError(t, term.enter())
	assert.NotEqual(t, before, keys.Mode(t))
	assert.PanicsWithValue(t, "a fault", func() {
		defer term.leaveOnPanic()
		panic("a fault")
	})
	assert.Equal(t, before, keys.Mode(t), "a panic of a goroutine beside")
	require.NoError(t, term.write("too late"))
	assert.NotContains(t, display.Wait(t, "left", clitest.OwnScreen), "too late")

	o := &options{every: 100 * time.Millisecond, sort: "none"}
	require.NoError(t, o.Selection.Parse(New()))
	ended := make(chan error)
	go func() { ended <- o.onScreen(t.Context(), term) }()
	display.Wait(t, "a frame", "q quit")
	assert.NotEqual(t, before, keys.Mode(t))
	display.Master.Close() // the terminal hangs up
	select {
	case err := <-ended:
		assert.Error(t, err, "a frame that cannot be written")
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
	assert.Equal(t, before, keys.Mode(t))
}
