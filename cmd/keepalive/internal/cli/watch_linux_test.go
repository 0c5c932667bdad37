package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestWatchPrintsTablesWhereThereIsNoTerminal(t *testing.T) {
	flags := ours(t, sockopt.Config{Idle: 100 * time.Second})
	code, out, errs := command(append([]string{"watch", "--interval", "100ms", "--rounds", "2", "--sort", "next"}, flags...)...)
	require.Equal(t, exitOK, code, errs)
	assert.Equal(t, 2, strings.Count(out, "STATE "))
	assert.Equal(t, 2, strings.Count(out, "\nESTAB "))
	assert.NotContains(t, out, "\x1b")
}

// A pty is a terminal and what is on it.
type pty struct {
	master, slave *os.File
	mu            sync.Mutex
	output        strings.Builder
}

func openPTY(t *testing.T) *pty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	p := &pty{master: master, slave: slave}
	t.Cleanup(func() {
		slave.Close()
		master.Close()
	})
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.output.Write(b[:n])
			p.mu.Unlock()
		}
	}()
	return p
}

func (p *pty) resize(t *testing.T, columns, rows uint16) {
	require.NoError(t, unix.IoctlSetWinsize(int(p.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}))
}

// text returns what was written so far, and forgets it.
func (p *pty) wait(t *testing.T, why, want string) (text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		text = p.output.String()
		p.mu.Unlock()
		if strings.Contains(text, want) {
			p.mu.Lock()
			p.output.Reset()
			p.mu.Unlock()
			return text
		}
		if time.Now().After(end) {
			t.Fatalf("%s: no %q in %q", why, want, text)
		}
	}
}

func TestWatchOnATerminal(t *testing.T) {
	program := filepath.Join(t.TempDir(), "keepalive")
	out, err := exec.Command("go", "build", "-o", program, "../..").CombinedOutput()
	require.NoError(t, err, "%s", out)
	flags := ours(t, sockopt.Config{Idle: 100 * time.Second})
	for rule, quit := range map[string]func(*pty, *exec.Cmd){
		"q":       func(p *pty, _ *exec.Cmd) { p.master.WriteString("q") },
		"Ctrl-C":  func(p *pty, _ *exec.Cmd) { p.master.WriteString("\x03") },
		"SIGTERM": func(_ *pty, c *exec.Cmd) { c.Process.Signal(unix.SIGTERM) },
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			p := openPTY(t)
			p.resize(t, 200, 20)
			before, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
			require.NoError(t, err)
			cmd := exec.Command(program, append([]string{"watch", "--interval", "200ms"}, flags...)...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = p.slave, p.slave, p.slave
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: unix.SIGKILL}
			require.NoError(t, cmd.Start())
			defer cmd.Process.Kill()

			screen := p.wait(t, "the first frame", "q quit")
			assert.Contains(t, screen, "\x1b[?1049h", "the alternate screen")
			assert.Contains(t, screen, "ESTAB")
			assert.Contains(t, screen, "PROCESS")
			p.resize(t, 60, 10)
			p.wait(t, "a narrower frame", "no room for")
			p.resize(t, 200, 20)
			p.master.WriteString("s")
			p.wait(t, "sorted", "sort: next")
			p.master.WriteString("/nothing-has-this")
			p.wait(t, "what is typed", "find: nothing-has-this_")
			p.wait(t, "no row is left", "rows 0-0 of 0 found in 1")
			p.master.WriteString("\x1b")
			p.wait(t, "all rows again", "rows 1-1 of 1  sort")
			quit(p, cmd)
			require.NoError(t, cmd.Wait())
			end := p.wait(t, "the end", "\x1b[?1049l")
			assert.Contains(t, end, "\x1b[?25h", "the cursor is shown again")
			after, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
			require.NoError(t, err)
			assert.Equal(t, before, after, "the terminal is as it was")
		})
	}
}
