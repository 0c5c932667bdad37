package inspect_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// Root in a container may list the descriptors of a process with more capabilities
// and not read them.
func TestOwnersWithoutCapSysPtrace(t *testing.T) {
	if !testkit.InChildWithoutCaps(t, unix.CAP_SYS_PTRACE) {
		return
	}
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	o, err := inspect.FindOwners()
	require.NoError(t, err)
	assert.NotEmpty(t, ownersOf(o, of(t, client).Inode, os.Getpid()), "one's own are there")
	processes, descriptors := o.Denied()
	assert.NotZero(t, processes)
	assert.NotZero(t, descriptors, "those of the parent are known to be there")
	_, err = inspect.FindOwners(os.Getppid())
	require.ErrorIs(t, err, fs.ErrPermission)
	assert.ErrorContains(t, err, fmt.Sprintf("the descriptors of process %d: readlink of ", os.Getppid()))
}

// A failure on this side is reported, and not counted as another user's process.
func TestOwnersThatCannotBeReadAreAnError(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("the filter is for amd64 and arm64")
	}
	if !testkit.InChild(t, nil) {
		return
	}
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NotZero(t, of(t, client).Inode)
	testkit.FailCall(t, unix.SYS_READLINKAT, unix.ENOMEM)
	for _, pids := range [][]int{nil, {os.Getpid()}} {
		_, err := inspect.FindOwners(pids...)
		require.ErrorIs(t, err, unix.ENOMEM)
		assert.NotErrorIs(t, err, fs.ErrPermission)
	}
}

func TestOwnersWithoutADescriptorToSpare(t *testing.T) {
	if !testkit.InChild(t, nil) {
		return
	}
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	inode := of(t, client).Inode
	testkit.WithSpareDescriptors(t, 2, func(spare int) {
		for _, pids := range [][]int{{os.Getpid()}, nil} {
			o, err := inspect.FindOwners(pids...)
			if spare > 0 && err == nil { // one at a time
				assert.True(t, o.Has(inode))
				continue
			}
			require.ErrorIs(t, err, unix.EMFILE)
		}
	})
}

// Descriptors and processes go away while their links are read: the kernel then returns a
// permission error.
func TestOwnersBesideProcessesThatEndUnseen(t *testing.T) {
	if !testkit.InChildWithoutCaps(t, unix.CAP_SYS_PTRACE) {
		return
	}
	for range 100 {
		cmd := exec.Command("/bin/sleep", "60")
		require.NoError(t, cmd.Start())
		go func() {
			cmd.Process.Kill()
			cmd.Wait()
		}()
		_, err := inspect.FindOwners(cmd.Process.Pid)
		if err != nil {
			require.ErrorIs(t, err, fs.ErrNotExist)
		}
	}
}

// The number of a thread stands for its process. A zombie and a thread of the kernel have
// no descriptors.
func TestOwnersOfWhatIsNotAProcess(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	inode := of(t, client).Inode
	threads, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	for _, thread := range threads {
		var tid int
		fmt.Sscan(thread.Name(), &tid)
		o, err := inspect.FindOwners(tid)
		if _, statErr := os.Stat("/proc/self/task/" + thread.Name()); statErr != nil {
			continue // it has ended
		}
		require.NoError(t, err)
		assert.NotEmpty(t, ownersOf(o, inode, os.Getpid()))
	}

	zombie := exec.Command("/bin/true")
	require.NoError(t, zombie.Start())
	defer zombie.Wait()
	var info unix.Siginfo
	require.NoError(t, unix.Waitid(unix.P_PID, zombie.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil))
	o, err := inspect.FindOwners(zombie.Process.Pid)
	require.NoError(t, err)
	assert.False(t, o.Has(inode))

	if name, err := os.ReadFile("/proc/2/comm"); err == nil && string(name) == "kthreadd\n" && os.Geteuid() == 0 {
		o, err := inspect.FindOwners(2)
		require.NoError(t, err)
		assert.False(t, o.Has(inode))
	}
}

// hiddenEnv has the number of a process of root's, for a child that sees a /proc
// which hides it.
const hiddenEnv = "KEEPALIVE_TEST_HIDDEN"

func TestOwnersThatProcHides(t *testing.T) {
	if !testkit.IsChild(t) {
		testkit.Root(t)
		t.Setenv(hiddenEnv, fmt.Sprint(os.Getpid()))
		mountProc(t, "hidepid=2")
	}
	if !testkit.InChildAsNobody(t) {
		return
	}
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	o, err := inspect.FindOwners()
	require.NoError(t, err)
	assert.NotEmpty(t, ownersOf(o, of(t, client).Inode, os.Getpid()))
	processes, _ := o.Denied()
	assert.Equal(t, 1, processes, "how many are hidden is not known")
	var parent int
	_, err = fmt.Sscan(os.Getenv(hiddenEnv), &parent)
	require.NoError(t, err)
	_, err = inspect.FindOwners(parent)
	require.ErrorIs(t, err, fs.ErrPermission)
	assert.ErrorContains(t, err, "/proc hides it")
	_, err = inspect.FindOwners(1 << 30)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// mountProc lets this thread and its children see a /proc of their own. The test
// keeps the thread.
func mountProc(t *testing.T, options string) {
	t.Helper()
	runtime.LockOSThread()
	require.NoError(t, unix.Unshare(unix.CLONE_NEWNS))
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	err := unix.Mount("proc", "/proc", "proc", 0, options)
	testkit.Need(t, err == nil, fmt.Sprintf("needs to mount a /proc: %v", err))
}

func TestOwnersOfNoProcess(t *testing.T) {
	t.Parallel()
	for _, pid := range []int{0, -1, 1 << 30} {
		_, err := inspect.FindOwners(pid)
		assert.ErrorIs(t, err, fs.ErrNotExist, pid)
		assert.NotErrorIs(t, err, fs.ErrPermission, pid)
	}
}
