package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/proc"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestNamespaceHolder(t *testing.T) { clitest.HoldConnection(t) }

// Each way to name a namespace shows what is there, with the defaults of there, and
// no thread of the program stays there.
func TestOtherNamespaces(t *testing.T) {
	clitest.InTurn(t)
	if !clitest.InOwnMounts(t) {
		return
	}
	here, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	blue := lab.NewNamespace(t)
	clitest.Named(t, blue, "blue")
	pid, address := clitest.HoldIn(t, blue, "default")
	testkit.Pair(t, "tcp4", "127.0.0.1:0") // here
	for _, where := range [][]string{
		{"--pid", fmt.Sprint(pid)}, {"--netns", fmt.Sprint(pid)}, {"--netns", "blue"}, {"--netns", blue.Path()}, {"--netns", "/run/netns/blue"}, {"--all-netns"},
	} {
		t.Run(strings.Join(where, "="), func(t *testing.T) {
			out, errs := runLs(t, append([]string{"--json", "--local", address}, where...)...)
			var r sockets.Record
			require.NoError(t, json.Unmarshal([]byte(out), &r), out+errs)
			assert.Equal(t, address, r.Local)
			assert.Equal(t, 1234.0, *r.Idle)
			assert.Equal(t, []string{"idle", "interval", "count"}, r.SystemDefaults, "those of there")
			assert.NotZero(t, *r.NetNSInode)
			require.Len(t, r.Processes, 1)
			assert.Equal(t, pid, r.Processes[0].PID)
			again, _ := runLs(t, "--json", "--local", address, "--netns", r.NetNS)
			assert.NotEmpty(t, again, "what is printed is understood")

			for _, form := range [][]string{{"--ss"}, {"--ss", "-p"}, {"--netstat"}} {
				out, _ := runLs(t, append(append([]string{"--local", address}, form...), where...)...)
				assert.Contains(t, out, strings.TrimPrefix(address, clitest.HeldAddress))
			}
			code, out, errs := command(append([]string{"check", "--path", "aws-nlb-tcp", "--peer", clitest.HeldAddress, "--local", address}, where...)...)
			assert.Equal(t, exit.Problems, code, out+errs)
			assert.Contains(t, errs, "checked 1: 1 bad")
			if where[0] != "--pid" {
				assert.Regexp(t, `^NETNS +LOCAL`, out)
			}
			_, out, _ = command(append([]string{"check", "--json", "--path", "aws-nlb-tcp", "--peer", clitest.HeldAddress, "--local", address}, where...)...)
			var checked record.Socket
			require.NoError(t, json.NewDecoder(strings.NewReader(out)).Decode(&checked), out)
			assert.Equal(t, r.NetNS, checked.NetNS)
			assert.Equal(t, r.NetNSInode, checked.NetNSInode)
			code, out, errs = command(append([]string{"watch", "--rounds", "1", "--local", address}, where...)...)
			assert.Equal(t, exit.OK, code, errs)
			assert.Contains(t, out, address)
		})
	}
	out, _ := runLs(t, "--all-netns")
	assert.Regexp(t, `^NETNS +STATE`, out)
	assert.Contains(t, out, "\nblue ")
	assert.Contains(t, out, fmt.Sprintf("\n%d ", os.Getpid()), "the own one too")
	out, _ = runLs(t)
	assert.NotContains(t, out, address)
	after, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	assert.Equal(t, here, after)
}

// trace sees the packets, sockets and settings of there. It rests on a probe every
// second.
func TestTraceOfOtherNamespaces(t *testing.T) {
	clitest.InTurn(t)
	if !clitest.InOwnMounts(t) {
		return
	}
	ns := lab.NewNamespace(t)
	pid, address := clitest.HoldIn(t, ns, "quick")
	var wg sync.WaitGroup
	for _, where := range [][]string{{"--pid", fmt.Sprint(pid)}, {"--netns", ns.Path()}, {"--all-netns"}} {
		wg.Go(func() {
			code, out, errs := command(append([]string{"trace", "--json", "--only", "probe", "--count", "1", "--for", "20s", "--peer", address}, where...)...)
			assert.Equal(t, exit.OK, code, "%s: %s", where, errs)
			var r struct {
				From          string
				FromLocal     bool             `json:"from_local"`
				FromProcesses []record.Process `json:"from_processes"`
				Expected      *float64         `json:"expected_seconds"`
			}
			if !assert.NoError(t, json.Unmarshal([]byte(out), &r), out) {
				return
			}
			assert.Equal(t, address, r.From)
			assert.True(t, r.FromLocal)
			// A child of another of these commands may have it open, too, while it reads its settings.
			assert.True(t, slices.ContainsFunc(r.FromProcesses, func(p record.Process) bool { return p.PID == pid }), "%v", r.FromProcesses)
			assert.Equal(t, new(1.0), r.Expected)
		})
	}
	wg.Wait()
	code, out, errs := command("trace", "--for", "100ms", "--netns", fmt.Sprint(pid), "--peer", "192.0.2.1")
	assert.Equal(t, exit.Nothing, code, errs)
	assert.Regexp(t, `^NETNS +TIME`, out)
}

// A socket that came from elsewhere, as systemd hands it to a service with
// PrivateNetwork=.
func TestASocketOfThisNamespaceInAProcessOfAnother(t *testing.T) {
	clitest.InTurn(t)
	testkit.Root(t)
	ns := lab.NewNamespace(t)
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	file, err := client.File()
	require.NoError(t, err)
	defer file.Close()
	cmd := exec.Command("/bin/sleep", "60")
	cmd.ExtraFiles = []*os.File{file}
	require.NoError(t, ns.Do(cmd.Start))
	defer cmd.Wait()
	defer cmd.Process.Kill()
	out, _ := runLs(t, "--pid", fmt.Sprint(cmd.Process.Pid))
	assert.Contains(t, out, client.LocalAddr().String())
}

// Who manages containers has sockets in each: those are found where they are, or said
// to be nowhere.
func TestSocketsOfOtherNamespacesInAProcessOfThisOne(t *testing.T) {
	clitest.InTurn(t)
	if !clitest.InOwnMounts(t) {
		return
	}
	seen, unseen := lab.NewNamespace(t), lab.NewNamespace(t)
	clitest.Named(t, seen, "seen")
	pid := fmt.Sprint(os.Getpid())
	_, errs := runLsEnding(t, exit.Nothing, "--pid", pid)
	assert.Equal(t, "keepalive: no socket matches\n", errs)
	var there, hidden net.Listener
	require.NoError(t, seen.Do(func() (err error) { there, err = net.Listen("tcp4", "127.0.0.1:0"); return err }))
	defer there.Close()
	out, _ := runLs(t, "--pid", pid, "--state", "all", "--json")
	assert.Contains(t, out, there.Addr().String())
	assert.Contains(t, out, `"netns":"seen"`)
	require.NoError(t, unseen.Do(func() (err error) { hidden, err = net.Listen("tcp4", "127.0.0.1:0"); return err }))
	out, errs = runLsEnding(t, exit.Unknown, "--pid", pid, "--state", "all")
	assert.Contains(t, out, there.Addr().String())
	assert.Contains(t, errs, "note: 1 socket of that process in no table that can be seen from here")
	code, _, errs := command("check", "--path", "aws-nlb-tcp", "--pid", pid)
	assert.Equal(t, exit.Unknown, code, errs)
	code, _, errs = command("trace", "--for", "100ms", "--pid", pid)
	assert.Equal(t, exit.Unknown, code, errs)
	assert.Contains(t, errs, "1 socket of that process in no table")
	hidden.Close()
	var client *net.TCPConn
	require.NoError(t, seen.Do(func() error { client, _ = testkit.Pair(t, "tcp4", "127.0.0.1:0"); return nil }))
	require.NoError(t, sockopt.Set(client, clitest.Quick))
	code, out, errs = command("trace", "--for", "20s", "--count", "1", "--only", "probe", "--pid", pid)
	assert.Equal(t, exit.OK, code, errs)
	assert.Contains(t, out, "*"+client.LocalAddr().String())
	client.Close()
	code, _, errs = command("check", "--path", "aws-nlb-tcp", "--pid", pid)
	assert.Equal(t, exit.Nothing, code, errs)
}

// Who may not enter is told so.
func TestOtherNamespacesWithoutPermission(t *testing.T) {
	clitest.InTurn(t)
	const target = "KEEPALIVE_TEST_NETNS_TARGET"
	if os.Getenv(target) == "" {
		testkit.Root(t)
		ns := lab.NewNamespace(t)
		pid, address := clitest.HoldIn(t, ns, "default")
		clitest.TellChild(t, target, fmt.Sprintf("%d %s", pid, address))
	}
	denied := func(t *testing.T) {
		var pid, address string
		_, err := fmt.Sscan(os.Getenv(target), &pid, &address)
		require.NoError(t, err)
		for _, args := range [][]string{
			{"ls", "--pid", pid}, {"ls", "--netns", pid}, {"ls", "--all-netns", "--no-process"}, {"ls", "--ss", "--all-netns"},
			{"check", "--path", "aws-nlb-tcp", "--pid", pid}, {"check", "--path", "aws-nlb-tcp", "--peer", address, "--all-netns"},
			{"watch", "--rounds", "1", "--netns", pid}, {"trace", "--for", "1s", "--pid", pid}, {"trace", "--for", "1s", "--netns", pid}, {"trace", "--for", "1s", "--all-netns"},
		} {
			code, out, errs := command(args...)
			assert.Equal(t, exit.Denied, code, "%s: %s%s", args, out, errs)
			assert.NotContains(t, out, address, "%s", args)
			assert.NotEmpty(t, errs)
		}
	}
	asWhoMayNot(t, denied)
	t.Run("root without CAP_SYS_ADMIN", func(t *testing.T) {
		t.Parallel()
		if testkit.InChildWithoutCaps(t, unix.CAP_SYS_ADMIN) {
			denied(t)
		}
	})
}

// A container of an ordinary user: its network namespace belongs to a user namespace.
// Root of the machine may enter it, its own user may not without nsenter.
func TestANamespaceOfAUserNamespace(t *testing.T) {
	clitest.InTurn(t)
	if !testkit.IsChild(t) {
		testkit.Root(t)
	}
	const nobody = 65534
	start := func(t *testing.T) (pid, address string) {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestNamespaceHolder$")
		cmd.Env = append(os.Environ(), clitest.HolderEnv+"=container")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{HostID: nobody, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: nobody, Size: 1}},
			Credential:  &syscall.Credential{NoSetGroups: true}, // root there
		}
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		err = cmd.Start()
		testkit.Need(t, err == nil, fmt.Sprintf("needs user namespaces: %v", err))
		t.Cleanup(func() {
			in.Close()
			cmd.Process.Kill()
			cmd.Wait()
		})
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if n, _ := fmt.Sscanf(lines.Text(), "connected %s", &address); n == 1 {
				return fmt.Sprint(cmd.Process.Pid), address
			}
		}
		t.Fatal("the child said nothing")
		return
	}
	const target = "KEEPALIVE_TEST_CONTAINER"
	if !testkit.IsChild(t) {
		pid, address := start(t)
		out, errs := runLs(t, "--pid", pid, "--json", "--local", address)
		assert.Contains(t, out, `"idle_seconds":1234`, errs)
		clitest.TellChild(t, target, pid)
	}
	if !testkit.InChildAsNobody(t) {
		return
	}
	code, out, errs := command("ls", "--netns", os.Getenv(target))
	assert.Equal(t, exit.Denied, code, out+errs)
}

// What fails on this side is not said to be another user's.
func TestLsWithoutADescriptorToSpare(t *testing.T) {
	clitest.InTurn(t)
	if !testkit.InChild(t, nil) {
		return
	}
	own := clitest.Ours(t, sockopt.Config{Idle: time.Minute}) // of others' sockets it may not know all
	testkit.WithSpareDescriptors(t, 4, func(spare int) {
		for _, flags := range []string{"", "--pid " + fmt.Sprint(os.Getpid())} {
			code, out, errs := command(slices.Concat([]string{"ls"}, own, strings.Fields(flags))...)
			if code == exit.OK {
				assert.GreaterOrEqual(t, spare, 1, out)
				continue
			}
			assert.Contains(t, errs, "too many open files", "%d to spare: %s", spare, out)
			assert.NotContains(t, errs, "another user")
		}
	})
}

// A process whose first thread has ended, in a namespace of its own, has all that its
// other threads have.
func TestAProcessWithoutItsFirstThread(t *testing.T) {
	if !testkit.IsChild(t) {
		testkit.Root(t)
	}
	pid, address, _ := testkit.Leaderless(t, func(cmd *exec.Cmd) { cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNET })
	testkit.Until(t, "the first thread has ended", func() bool { return proc.Thread(pid) != pid })
	for _, args := range [][]string{{"--pid", fmt.Sprint(pid)}, {"--netns", fmt.Sprint(pid)}} {
		out, errs := runLs(t, append(args, "--json", "--local", address)...)
		var r sockets.Record
		require.NoError(t, json.NewDecoder(strings.NewReader(out)).Decode(&r), "%s: %s", args, errs)
		require.Len(t, r.Processes, 1)
		assert.Equal(t, pid, r.Processes[0].PID)
		assert.NotNil(t, r.Idle, "its settings can be read too")
	}
}
