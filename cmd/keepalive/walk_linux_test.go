package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A walked command line, and the exit code that the table in the help has for it.
type walked struct {
	line string
	code int
}

// walk runs command lines, many at a time.
func walk(t *testing.T, lines []walked) {
	t.Helper()
	var wg sync.WaitGroup
	for _, w := range lines {
		wg.Go(func() {
			code, out, errs := command(strings.Fields(w.line)...)
			assert.Equal(t, w.code, code, "%s\n%s%s", w.line, out, errs)
			if code > exit.Problems {
				assert.NotEmpty(t, errs, "%s: what is not right is said", w.line)
			}
		})
	}
	wg.Wait()
}

// lsForms are the forms of ls, with what each has to look at.
var lsForms = []struct {
	flags  string
	people bool // processes
	values bool // settings
}{
	{"ls", true, true}, {"ls --json", true, true}, {"ls --ss -p", true, false}, {"ls --ss", false, false},
	{"ls --netstat", false, false}, {"ls --no-process", false, false}, {"watch --rounds 1", true, true}, {"watch --rounds 1 --json", true, true},
}

// Every command is in the walks below.
func TestTheWalkIsComplete(t *testing.T) {
	t.Parallel()
	var walked []string
	for _, c := range commands {
		walked = append(walked, c.Name)
	}
	assert.Equal(t, []string{"check", "demo", "discover", "ls", "plan", "profiles", "trace", "watch"}, walked, "a new command goes into TestExitCodes...")
}

// On a machine without a socket, where root may look at everything.
func TestExitCodesWhereThereIsNothing(t *testing.T) {
	clitest.InTurn(t)
	if !clitest.InOwnMounts(t) {
		return
	}
	ns := lab.NewNamespace(t)
	clitest.Named(t, ns, "empty")
	quiet := exec.Command("/bin/sleep", "60")
	require.NoError(t, quiet.Start())
	defer quiet.Wait()
	defer quiet.Process.Kill()
	zombie := exec.Command("/bin/true")
	require.NoError(t, zombie.Start())
	defer zombie.Wait()
	var info unix.Siginfo
	require.NoError(t, unix.Waitid(unix.P_PID, zombie.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil))
	var lines []walked
	for _, form := range lsForms {
		lines = append(lines, walked{form.flags, exit.OK}, walked{form.flags + " --all-netns", exit.OK})
		for _, filter := range []string{
			fmt.Sprintf("--pid %d", quiet.Process.Pid), fmt.Sprintf("--pid %d", zombie.Process.Pid), "--pid 999999", "--netns empty", "--netns none", "--netns 999999", "--netns /run/netns/none",
			"--peer 192.0.2.1", "--local :5432", "--state established", "--listening", "-4", "-6",
		} {
			lines = append(lines, walked{form.flags + " " + filter, exit.Nothing})
		}
		lines = append(lines, walked{form.flags + " --peer x", exit.Usage}, walked{form.flags + " --netns /dev/null", exit.Usage})
	}
	for _, filter := range []string{"", " --all-netns", fmt.Sprintf(" --pid %d", quiet.Process.Pid), " --pid 999999", " --netns empty", " --netns none", " --peer 192.0.2.1", " --local :1"} {
		lines = append(lines, walked{"check --path aws-nlb-tcp" + filter, exit.Nothing}, walked{"check --json --path aws-nlb-tcp" + filter, exit.Nothing})
	}
	for _, filter := range []string{fmt.Sprintf(" --pid %d", quiet.Process.Pid), " --pid 999999", " --netns empty", " --netns none", " --peer 192.0.2.1", " --port 2", " --only probe"} {
		lines = append(lines, walked{"trace --for 100ms" + filter, exit.Nothing})
	}
	walk(t, append(lines, []walked{
		{"trace --for 100ms", exit.OK}, {"trace --for 100ms --all-netns", exit.OK}, {"trace --port 0", exit.Usage},
		{"profiles", exit.OK}, {"profiles no-such-box", exit.Nothing}, {"profiles --json no-such-box", exit.Nothing},
		{"plan --path aws-nlb-tcp", exit.OK}, {"plan --path aws-alb", exit.Problems}, {"plan --path linkerd", exit.Unknown}, {"plan --path no-such-box", exit.Usage},
		{"check --path no-such-box", exit.Usage}, {"check", exit.Usage},
		{"discover", exit.Usage},
	}...))
	// These make sockets, which lists would see.
	walk(t, []walked{{"demo", exit.OK}, {"demo --config idle=x", exit.Usage}, {"discover 127.0.0.1:1", exit.Problems}})
}

// Settings that nobody can read: those of a connection that was not yet accepted.
func TestExitCodesWhereSomethingIsUnknown(t *testing.T) {
	clitest.InTurn(t)
	if !clitest.InOwnMounts(t) {
		return
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	require.NoError(t, sockopt.Set(l, clitest.Quick)) // probes leave
	c, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	off, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(off, sockopt.Config{Disabled: true}))
	var lines []walked
	for _, form := range lsForms {
		code := exit.OK
		if form.values {
			code = exit.Unknown
		}
		lines = append(lines, walked{form.flags, code}, walked{form.flags + " --all-netns", code}, walked{form.flags + " --local " + l.Addr().String(), code})
	}
	walk(t, append(lines, []walked{
		{"check --path aws-nlb-tcp --peer 127.0.0.1 --local " + l.Addr().String(), exit.Unknown},
		{"check --path linkerd --peer 127.0.0.1 --local " + c.LocalAddr().String(), exit.Unknown},
		{"check --path aws-nlb-tcp --peer 127.0.0.1", exit.Problems}, // off
		{"trace --only probe --count 1 --for 20s", exit.Unknown},
	}...))
}

// deniedEnv has the process and a socket of root's for children that may not look at
// them.
const deniedEnv = "KEEPALIVE_TEST_DENIED"

// asWhoMayNot runs a test as those who may not look at other users' processes.
func asWhoMayNot(t *testing.T, denied func(*testing.T)) {
	t.Helper()
	t.Run("nobody", func(t *testing.T) {
		t.Parallel()
		if testkit.InChildAsNobody(t) {
			denied(t)
		}
	})
	t.Run("root without CAP_SYS_PTRACE", func(t *testing.T) {
		t.Parallel()
		if testkit.InChildWithoutCaps(t, unix.CAP_SYS_PTRACE) {
			denied(t)
		}
	})
}

func TestExitCodesWithoutPermission(t *testing.T) {
	clitest.InTurn(t)
	if os.Getenv(deniedEnv) == "" {
		testkit.Root(t)
		client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		require.NoError(t, sockopt.Set(client, clitest.Quick))
		clitest.TellChild(t, deniedEnv, fmt.Sprintf("%d %s", os.Getpid(), client.LocalAddr()))
	}
	denied := func(t *testing.T) {
		var pid, address string
		_, err := fmt.Sscan(os.Getenv(deniedEnv), &pid, &address)
		require.NoError(t, err)
		var lines []walked
		for _, form := range lsForms {
			code := exit.OK
			if form.people {
				code = exit.Denied
			}
			lines = append(lines, walked{form.flags + " --local " + address, code}, walked{form.flags + " --pid " + pid, exit.Denied},
				walked{form.flags + " --local " + address + " --all-netns", exit.Denied})
		}
		for _, which := range []string{" --pid " + pid, " --peer 127.0.0.1 --local " + address, " --peer 127.0.0.1 --all-netns --local " + address} {
			lines = append(lines, walked{"check --path aws-nlb-tcp" + which, exit.Denied}, walked{"check --json --path aws-nlb-tcp" + which, exit.Denied})
		}
		lines = append(lines, walked{"trace --for 1s --pid " + pid, exit.Denied}, walked{"trace --for 1s --all-netns", exit.Denied})
		trace := "trace --only probe --count 1 --for 20s --peer " + address // its settings may not be read
		walk(t, append(lines, walked{trace, exit.Denied}, walked{"profiles", exit.OK}, walked{"plan --path aws-nlb-tcp", exit.OK}, walked{"discover 127.0.0.1:1", exit.Problems}))
		walk(t, []walked{{"demo", exit.OK}})
		code, out, _ := command("ls", "--json", "--local", address)
		assert.Equal(t, exit.Denied, code)
		for line := range strings.Lines(out) { // others may be at the same address, with another peer
			var r sockets.Record
			require.NoError(t, json.Unmarshal([]byte(line), &r))
			assert.Nil(t, r.Processes)
		}
	}
	asWhoMayNot(t, denied)
	t.Run("hidepid", func(t *testing.T) {
		t.Parallel()
		if !testkit.IsChild(t) {
			testkit.Root(t)
		}
		if testkit.InChild(t, func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
		}) {
			require.NoError(t, unix.Mount("proc", "/proc", "proc", 0, "hidepid=2"))
			require.NoError(t, syscall.Setgroups(nil))
			require.NoError(t, syscall.Setgid(65534))
			require.NoError(t, syscall.Setuid(65534))
			denied(t)
		}
	})
}

// The documentation has the same table as the help.
func TestTheDocumentationHasTheExitCodes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/commands.md")
	require.NoError(t, err)
	assert.Contains(t, string(text), "```text\n"+exit.Codes+"\n```\n")
}
