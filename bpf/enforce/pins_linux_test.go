package enforce_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/bpf/enforce"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// prober starts a Python program in a control group, and returns a function that lets it
// make a connection and returns the idle time that the kernel has for it.
func prober(t *testing.T, cg string) func() int {
	t.Helper()
	cmd := exec.Command(testkit.Tool(t, "python3"), "-u", "-c", `
import socket, sys
for line in sys.stdin:
    with socket.create_server(("127.0.0.1", 0)) as l, socket.create_connection(l.getsockname()) as c:
        print(c.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), flush=True)
`)
	within(t, cg, cmd)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	testkit.Start(t, cmd)
	lines := bufio.NewScanner(out)
	return func() int {
		_, err := in.Write([]byte("\n"))
		require.NoError(t, err)
		require.True(t, lines.Scan(), "%v", lines.Err())
		n, err := strconv.Atoi(lines.Text())
		require.NoError(t, err)
		return n
	}
}

func idleOf(seconds int) enforce.Policy {
	return one(enforce.Rule{Name: "all", Config: sockopt.Config{Idle: time.Duration(seconds) * time.Second}})
}

func TestLife(t *testing.T) {
	t.Parallel()
	cg, dir := cgroup(t), bpffs(t)
	all, err := enforce.List(dir)
	require.NoError(t, err)
	assert.Empty(t, all)
	assert.ErrorIs(t, enforce.Remove(dir, cg), fs.ErrNotExist)
	probe := prober(t, cg)
	before := probe()

	p := enforce.Policy{Rules: []enforce.Rule{
		{Name: "database", Peer: "[2001:db8::]/32:5432", Local: "10.0.0.0/8", Command: "postgres", Mode: enforce.Clamp, Config: config, Least: sockopt.Config{Idle: time.Second}},
		{Peer: ":443", Mode: enforce.Leave},
		{Name: "all", Config: sockopt.Config{Idle: 51 * time.Second, UserTimeout: sockopt.NoUserTimeout}},
	}}
	require.NoError(t, enforce.Attach(dir, cg, p))
	assert.Equal(t, 51, probe(), "a program that runs already")
	p.Rules[0].Peer = "[2001:db8::]/32:5432"
	all, err = enforce.List(dir)
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, enforce.Status{
		Cgroup: cg, CgroupID: all[0].CgroupID, Policy: enforce.Policy{Rules: []enforce.Rule{
			p.Rules[0],
			{Peer: "*:443", Mode: enforce.Leave},
			p.Rules[2],
		}}, Counters: enforce.Counters{Sockets: 2},
	}, all[0])

	err = enforce.Attach(dir, cg, p)
	assert.ErrorIs(t, err, fs.ErrExist)
	assert.EqualError(t, err, "enforce: control group "+cg+" has a policy already, which can be updated or removed: file already exists")

	require.NoError(t, enforce.Update(dir, cg, idleOf(77)))
	assert.Equal(t, 77, probe())
	require.NoError(t, enforce.Update(dir, cg, one(enforce.Rule{Command: "python3", Config: sockopt.Config{Idle: 78 * time.Second}})), "adds a program")
	assert.Equal(t, 78, probe())
	require.NoError(t, enforce.Update(dir, cg, idleOf(79)))
	assert.Equal(t, 79, probe())
	all, err = enforce.List(dir)
	require.NoError(t, err)
	assert.Equal(t, idleOf(79), all[0].Policy)

	require.NoError(t, enforce.Remove(dir, cg))
	assert.Equal(t, before, probe())
	assert.ErrorIs(t, enforce.Update(dir, cg, p), fs.ErrNotExist)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)

	h, err := enforce.Hold(cg, idleOf(80))
	require.NoError(t, err)
	assert.Equal(t, 80, probe())
	count, err := h.Counters()
	require.NoError(t, err)
	assert.Equal(t, enforce.Counters{Sockets: 2}, count)
	require.NoError(t, h.Close())
	assert.Equal(t, before, probe())
}

// Of two policies the outer one counts.
func TestNested(t *testing.T) {
	t.Parallel()
	outer, dir := cgroup(t), bpffs(t)
	inner := filepath.Join(outer, "inner")
	makeCgroup(t, inner)
	require.NoError(t, enforce.Attach(dir, inner, one(enforce.Rule{Config: sockopt.Config{Idle: 52 * time.Second}})))
	probe := prober(t, inner)
	assert.Equal(t, 52, probe())
	require.NoError(t, enforce.Attach(dir, outer, idleOf(53)))
	assert.Equal(t, 53, probe())
	require.NoError(t, enforce.Remove(dir, outer))
	assert.Equal(t, 52, probe())
}

func TestFaults(t *testing.T) {
	t.Parallel()
	t.Run("a control group that was removed and made again", func(t *testing.T) {
		t.Parallel()
		cg, dir := cgroup(t), bpffs(t)
		require.NoError(t, enforce.Attach(dir, cg, idleOf(51)))
		require.NoError(t, unix.Rmdir(cg))
		assert.ErrorIs(t, enforce.Update(dir, cg, idleOf(52)), fs.ErrNotExist)
		makeCgroup(t, cg)
		all, err := enforce.List(dir)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, enforce.CgroupRemoved, all[0].State, all[0].Problem)
		assert.Contains(t, all[0].Problem, "Nothing is enforced")
		require.NoError(t, enforce.Attach(dir, cg, idleOf(52)), "the new one has none yet")
		assert.Equal(t, 52, prober(t, cg)())
		all, err = enforce.List(dir)
		require.NoError(t, err)
		require.Len(t, all, 2)
		require.NoError(t, enforce.Remove(dir, cg))
		require.NoError(t, enforce.Remove(dir, cg), "what is left of the old one")
		all, err = enforce.List(dir)
		require.NoError(t, err)
		assert.Empty(t, all)
	})
	t.Run("a program in the place of another", func(t *testing.T) {
		t.Parallel()
		cg, dir := cgroup(t), bpffs(t)
		require.NoError(t, enforce.Attach(dir, cg, idleOf(51)))
		all, err := enforce.List(dir)
		require.NoError(t, err)
		at := filepath.Join(dir, fmt.Sprintf("cgroup_%x", all[0].CgroupID))
		l, err := link.LoadPinnedLink(filepath.Join(at, "link_sock_ops"), nil)
		require.NoError(t, err)
		defer l.Close()
		other, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SockOps, AttachType: ebpf.AttachCGroupSockOps, License: "GPL",
			Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 1), asm.Return()}})
		require.NoError(t, err)
		defer other.Close()
		require.NoError(t, l.Update(other))
		all, err = enforce.List(dir)
		require.NoError(t, err)
		assert.Equal(t, enforce.Replaced, all[0].State)
		assert.Contains(t, all[0].Problem, "in the place of sock_ops")
		assert.ErrorContains(t, enforce.Update(dir, cg, idleOf(52)), "in the place of sock_ops")
		assert.ErrorIs(t, enforce.Attach(dir, cg, idleOf(52)), fs.ErrExist)
		require.NoError(t, enforce.Remove(dir, cg))
	})
	t.Run("a link that somebody removed", func(t *testing.T) {
		t.Parallel()
		cg, dir := cgroup(t), bpffs(t)
		require.NoError(t, enforce.Attach(dir, cg, idleOf(51)))
		all, err := enforce.List(dir)
		require.NoError(t, err)
		require.NoError(t, os.Remove(filepath.Join(dir, fmt.Sprintf("cgroup_%x", all[0].CgroupID), "link_setsockopt")))
		all, err = enforce.List(dir)
		require.NoError(t, err)
		assert.Equal(t, enforce.Replaced, all[0].State)
		require.NoError(t, enforce.Remove(dir, cg))
	})
	t.Run("no BPF file system", func(t *testing.T) {
		t.Parallel()
		cg, dir := cgroup(t), t.TempDir()
		err := enforce.Attach(filepath.Join(dir, "keepalive"), cg, idleOf(51))
		assert.ErrorContains(t, err, "is in no BPF file system, which keeps policies: mount -t bpf bpf /sys/fs/bpf")
		assert.NoDirExists(t, filepath.Join(dir, "keepalive"))
	})
	t.Run("no control group", func(t *testing.T) {
		t.Parallel()
		needPermission(t)
		err := enforce.Attach(t.TempDir(), "/tmp", idleOf(51))
		assert.ErrorContains(t, err, "/tmp is not a control group of cgroup v2")
		assert.ErrorIs(t, enforce.Attach(t.TempDir(), "/nowhere", idleOf(51)), fs.ErrNotExist)
	})
}

// If attaching, updating or removing is killed before any of its system calls, the old or
// the new policy is in effect, List says which, and it can be repeated.
func TestKilled(t *testing.T) {
	const job = "KEEPALIVE_TEST_JOB"
	if words := strings.Fields(os.Getenv(job)); len(words) == 3 {
		runtime.LockOSThread() // strace counts the calls of each thread
		var err error
		switch words[0] {
		case "attach":
			err = enforce.Attach(words[1], words[2], idleOf(51))
		case "update":
			err = enforce.Update(words[1], words[2], idleOf(77))
		case "remove":
			err = enforce.Remove(words[1], words[2])
		}
		require.NoError(t, err)
		return
	}
	testkit.Long(t)
	t.Parallel()
	strace := testkit.Tool(t, "strace")
	cg, dir := cgroup(t), bpffs(t)
	probe := prober(t, cg)
	none := probe()
	for _, what := range []string{"attach", "update", "remove"} {
		killed := 0
		seen := map[int]bool{}
		for n := 1; n < 500; n++ {
			all, err := enforce.List(dir)
			require.NoError(t, err)
			if what != "attach" && (len(all) == 0 || all[0].State != enforce.Enforced || probe() != 51) {
				if len(all) > 0 {
					require.NoError(t, enforce.Remove(dir, cg))
				}
				require.NoError(t, enforce.Attach(dir, cg, idleOf(51)))
			}
			if what == "attach" && len(all) > 0 && all[0].State == enforce.Enforced {
				require.NoError(t, enforce.Remove(dir, cg))
			}
			cmd := exec.Command(strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=bpf,mkdirat,unlinkat,renameat2,flock",
				"-e", fmt.Sprintf("inject=bpf,mkdirat,unlinkat,renameat2,flock:signal=KILL:when=%d", n), "/proc/self/exe", "-test.run=^TestKilled$")
			cmd.Args[len(cmd.Args)-2], err = os.Executable()
			require.NoError(t, err)
			cmd.Env = append(os.Environ(), job+"="+what+" "+dir+" "+cg)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err != nil {
				require.True(t, errors.As(err, &exit), "%v", err)
				require.Contains(t, []int{137, -1}, exit.ExitCode(), "%s", out)
				killed++
			}
			has := probe()
			seen[has] = true
			all, listErr := enforce.List(dir)
			require.NoError(t, listErr)
			switch {
			case len(all) == 1 && all[0].State == enforce.Enforced:
				assert.Equal(t, all[0].Policy, idleOf(has), "%s, call %d", what, n)
			case len(all) == 1:
				assert.Equal(t, enforce.Interrupted, all[0].State, "%s, call %d: %s", what, n, all[0].Problem)
				fallthrough
			default:
				assert.Equal(t, none, has, "%s, call %d", what, n)
			}
			if err == nil {
				break
			}
		}
		t.Logf("%s: killed at %d calls", what, killed)
		assert.GreaterOrEqual(t, killed, 2, what)
		assert.Len(t, seen, 2, "%s: the old state and the new one, and nothing else: %v", what, seen)
	}
}
