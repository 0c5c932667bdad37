package clitest

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A PTY is a terminal and what is on it.
type PTY struct {
	Master, Slave *os.File
	mu            sync.Mutex
	output        strings.Builder
}

// OpenPTY opens a terminal, for as long as the test runs.
func OpenPTY(t *testing.T) *PTY {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	p := &PTY{Master: master, Slave: slave}
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

// Resize makes it so large.
func (p *PTY) Resize(t *testing.T, columns, rows uint16) {
	require.NoError(t, unix.IoctlSetWinsize(int(p.Slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}))
}

// Wait waits until something is on the terminal, and returns what was written so far,
// which it forgets.
func (p *PTY) Wait(t *testing.T, why, want string) (text string) {
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
			t.Fatalf("%s: no %q in ...%q", why, want, text[max(0, len(text)-600):])
		}
	}
}

// Mode is how the terminal treats what is typed: raw, or as a shell has it.
func (p *PTY) Mode(t *testing.T) unix.Termios {
	mode, err := unix.IoctlGetTermios(int(p.Slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	return *mode
}

// Start runs a command on the terminal, in a session of its own.
func (p *PTY) Start(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	if signal.Ignored(unix.SIGHUP) || signal.Ignored(unix.SIGINT) || signal.Ignored(unix.SIGQUIT) {
		// The tests run under nohup, or in the background of a script, and would hand
		// that down.
		args = append([]string{"--default-signal=HUP,INT,QUIT", name}, args...)
		name = testkit.Tool(t, "env")
	}
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Slave, p.Slave, p.Slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	testkit.Start(t, cmd)
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() }) // a test that waits for its end fails then
	t.Cleanup(func() { late.Stop() })
	return cmd
}

// What a program writes to begin with another screen, and to go back.
const (
	OtherScreen = "\x1b[?1049h"
	OwnScreen   = "\x1b[?1049l"
)

// OpenStuckPTY returns a terminal that is stopped, as by Ctrl-S.
func OpenStuckPTY(t *testing.T) *os.File {
	p := OpenPTY(t)
	p.Resize(t, 80, 20)
	require.NoError(t, unix.IoctlSetInt(int(p.Slave.Fd()), unix.TCXONC, unix.TCOOFF))
	return p.Slave
}
