package netns_test

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/lab"
	. "github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/internal/proc"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

func inodeOf(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	require.NoError(t, unix.Stat(path, &st))
	return st.Ino
}

// sleeper starts a process in a namespace of its own.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd
}

func TestOwn(t *testing.T) {
	t.Parallel()
	n := Own()
	assert.True(t, n.Own)
	assert.Equal(t, inodeOf(t, "/proc/thread-self/ns/net"), n.Inode)
	file, err := n.Open()
	require.NoError(t, err)
	assert.Nil(t, file)
	ran := false
	require.NoError(t, Do(nil, func() error { ran = true; return nil }))
	assert.True(t, ran)
}

// In mount and PID namespaces of its own, so that the names are nobody else's, and
// there is no process that even root may not look at.
func TestFind(t *testing.T) {
	if !testkit.IsChild(t) {
		testkit.Root(t)
	}
	if !testkit.InChild(t, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Cloneflags: unix.CLONE_NEWPID}
	}) {
		return
	}
	require.NoError(t, unix.Mount("proc", "/proc", "proc", 0, ""))
	require.NoError(t, unix.Mount("tmpfs", "/run", "tmpfs", 0, ""))
	require.NoError(t, os.MkdirAll("/run/netns", 0o755))
	mount := func(n *lab.Namespace, path string) {
		require.NoError(t, os.WriteFile(path, nil, 0o444))
		require.NoError(t, unix.Mount(n.Path(), path, "", unix.MS_BIND, ""))
	}
	blue, docker := lab.NewNamespace(t), lab.NewNamespace(t)
	mount(blue, "/run/netns/blue")
	mount(docker, "/run/a b")
	process := sleeper(t)
	pid := process.Process.Pid
	for _, tt := range []struct {
		text  string
		inode uint64
		name  string
	}{
		{"blue", inodeOf(t, blue.Path()), "blue"},
		{"/run/netns/blue", inodeOf(t, blue.Path()), "/run/netns/blue"},
		{blue.Path(), inodeOf(t, blue.Path()), blue.Path()},
		{fmt.Sprint(pid), inodeOf(t, fmt.Sprintf("/proc/%d/ns/net", pid)), fmt.Sprint(pid)},
		{fmt.Sprint(os.Getpid()), Own().Inode, fmt.Sprint(os.Getpid())},
	} {
		n, err := Find(tt.text)
		require.NoError(t, err)
		assert.Equal(t, tt.inode, n.Inode)
		assert.Equal(t, tt.name, n.String())
		assert.Equal(t, tt.inode == Own().Inode, n.Own)
	}
	require.NoError(t, os.WriteFile("/run/netns/left", nil, 0o444)) // of ip netns, after its mount is gone
	zombie := exec.Command("/bin/true")
	require.NoError(t, zombie.Start())
	var info unix.Siginfo
	require.NoError(t, unix.Waitid(unix.P_PID, zombie.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil))
	for text, want := range map[string]error{
		"red": fs.ErrNotExist, "1073741824": fs.ErrNotExist, "/run/netns/red": fs.ErrNotExist, "": fs.ErrNotExist, "..": fs.ErrNotExist,
		"-1": fs.ErrNotExist, "0": fs.ErrNotExist, fmt.Sprint(zombie.Process.Pid): fs.ErrNotExist,
		"left": ErrNoNamespace, "/dev/null": ErrNoNamespace, "/proc/self/ns/mnt": ErrNoNamespace, "/": ErrNoNamespace,
	} {
		_, err := Find(text)
		assert.ErrorIs(t, err, want, "%q", text)
	}
	zombie.Wait()

	found, denied, err := All()
	require.NoError(t, err)
	assert.Empty(t, denied)
	assert.True(t, found[0].Own)
	names := map[uint64]string{}
	for _, n := range found {
		names[n.Inode] = n.String()
	}
	assert.Equal(t, "blue", names[inodeOf(t, blue.Path())])
	assert.Equal(t, "/run/a b", names[inodeOf(t, docker.Path())])
	assert.Equal(t, fmt.Sprint(pid), names[inodeOf(t, fmt.Sprintf("/proc/%d/ns/net", pid))])
	assert.Len(t, names, len(found), "each once")

	at := slices.IndexFunc(found, func(n *Namespace) bool { return n.String() == fmt.Sprint(pid) })
	inode := found[at].Inode
	file, err := found[at].Open()
	require.NoError(t, err)
	process.Process.Kill()
	process.Wait()
	require.NoError(t, Do(file, func() error {
		assert.Equal(t, inode, inodeOf(t, "/proc/thread-self/ns/net"), "as long as it is open it stays")
		return nil
	}))
	file.Close()
	_, err = found[at].Open()
	assert.ErrorIs(t, err, fs.ErrNotExist, "it has vanished")

	at = slices.IndexFunc(found, func(n *Namespace) bool { return n.String() == "blue" })
	require.NoError(t, unix.Mount("tmpfs", "/run", "tmpfs", 0, ""))
	_, err = found[at].Open()
	assert.ErrorIs(t, err, fs.ErrPermission, "it is out of reach, and still there")
	assert.NotErrorIs(t, err, fs.ErrNotExist)
}

// As a test that fails does.
func TestAFunctionThatExits(t *testing.T) {
	t.Parallel()
	err := OnThread(func() error { runtime.Goexit(); return nil })
	assert.ErrorContains(t, err, "Goexit")
}

// No thread of the program stays in the other namespace, not even the first, whose
// namespace /proc/self shows.
func TestDoLeavesTheProgramWhereItIs(t *testing.T) {
	ns := lab.NewNamespace(t)
	n, err := Find(ns.Path())
	require.NoError(t, err)
	file, err := n.Open()
	require.NoError(t, err)
	defer file.Close()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // new goroutines run where this one waits
	before := Own().Inode
	for range 50 {
		require.NoError(t, Do(file, func() error {
			assert.NotEqual(t, unix.Getpid(), unix.Gettid())
			assert.Equal(t, n.Inode, Own().Inode)
			return nil
		}))
	}
	assert.Eventually(t, func() bool {
		threads, err := filepath.Glob("/proc/self/task/*/ns/net")
		require.NoError(t, err)
		for _, thread := range threads {
			if link, err := os.Readlink(thread); err == nil && link != fmt.Sprintf("net:[%d]", before) {
				return false // it is ending
			}
		}
		return true
	}, 5*time.Second, time.Millisecond)
	assert.Equal(t, before, inodeOf(t, "/proc/self/ns/net"))
	want := fmt.Errorf("of f")
	assert.Equal(t, want, Do(file, func() error { return want }))
}

func TestNotPermitted(t *testing.T) {
	const path = "KEEPALIVE_TEST_NETNS"
	if os.Getenv(path) == "" {
		t.Setenv(path, lab.NewNamespace(t).Path())
	}
	t.Run("nobody", func(t *testing.T) {
		if !testkit.InChildAsNobody(t) {
			return
		}
		_, err := Find(os.Getenv(path))
		assert.ErrorIs(t, err, fs.ErrPermission)
		_, err = OfProcess(1)
		assert.ErrorIs(t, err, fs.ErrPermission)
		_, denied, err := All()
		require.NoError(t, err)
		require.NotEmpty(t, denied)
		assert.ErrorIs(t, denied[0], fs.ErrPermission)
		_, err = OfProcess(os.Getpid())
		assert.NoError(t, err)
	})
	t.Run("without CAP_SYS_ADMIN", func(t *testing.T) {
		if !testkit.InChildWithoutCaps(t, unix.CAP_SYS_ADMIN) {
			return
		}
		file, err := os.Open("/proc/self/ns/net")
		require.NoError(t, err)
		defer file.Close()
		err = Do(file, func() error { return nil })
		require.ErrorIs(t, err, fs.ErrPermission)
		require.ErrorIs(t, err, ErrNotEntered)
		assert.ErrorContains(t, err, "takes CAP_SYS_ADMIN")
	})
}

// A process whose first thread has ended is where its other threads are.
func TestAProcessWithoutItsFirstThread(t *testing.T) {
	if !testkit.IsChild(t) {
		testkit.Root(t)
	}
	pid, _, _ := testkit.Leaderless(t, func(cmd *exec.Cmd) { cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNET })
	testkit.Until(t, "the first thread has ended", func() bool { return proc.Thread(pid) != pid })
	n, err := OfProcess(pid)
	require.NoError(t, err)
	assert.False(t, n.Own)
	found, _, err := All()
	require.NoError(t, err)
	at := slices.IndexFunc(found, func(other *Namespace) bool { return other.Inode == n.Inode })
	require.GreaterOrEqual(t, at, 0, "All finds it")
	file, err := found[at].Open()
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, Do(file, func() error {
		assert.Equal(t, n.Inode, inodeOf(t, "/proc/thread-self/ns/net"))
		return nil
	}))
}

// A thread of another process may be elsewhere than its first.
func TestAThreadInANamespaceOfItsOwn(t *testing.T) {
	if !testkit.IsChild(t) {
		testkit.Root(t)
	}
	const envHolder = "KEEPALIVE_TEST_THREAD_ELSEWHERE"
	if os.Getenv(envHolder) != "" {
		require.NoError(t, OnThread(func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return err
			}
			fmt.Println("elsewhere in", inodeOf(t, "/proc/thread-self/ns/net"))
			io.Copy(io.Discard, os.Stdin)
			return nil
		}))
		return
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestAThreadInANamespaceOfItsOwn$")
	cmd.Env = append(os.Environ(), envHolder+"=1")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	testkit.Start(t, cmd)
	t.Cleanup(func() { in.Close() })
	var inode uint64
	for lines := bufio.NewScanner(out); inode == 0 && lines.Scan(); {
		fmt.Sscanf(lines.Text(), "elsewhere in %d", &inode)
	}
	require.NotZero(t, inode)
	found, _, err := All()
	require.NoError(t, err)
	at := slices.IndexFunc(found, func(n *Namespace) bool { return n.Inode == inode })
	require.GreaterOrEqual(t, at, 0, "All finds it")
	file, err := found[at].Open()
	require.NoError(t, err)
	defer file.Close()
	again, err := Find(found[at].String())
	require.NoError(t, err)
	assert.Equal(t, inode, again.Inode)
}

// What is printed for the own namespace finds it again, in another process too.
func TestTheNameOfTheOwnNamespace(t *testing.T) {
	t.Parallel()
	n := Own()
	assert.NotEqual(t, fmt.Sprint(os.Getpid()), n.String(), "this process ends")
	again, err := Find(n.String())
	require.NoError(t, err)
	assert.Equal(t, n.Inode, again.Inode)
	ns := lab.NewNamespace(t)
	require.NoError(t, ns.Do(func() error {
		assert.Equal(t, "?", Own().String(), "of a thread, which nobody finds")
		return nil
	}))
}
