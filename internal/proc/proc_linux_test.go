package proc_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/proc"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

func TestTheThreadThatLivesOn(t *testing.T) {
	t.Parallel()
	pid, _, _ := testkit.Leaderless(t, nil)
	var tid int
	testkit.Until(t, "the first thread has ended", func() bool { tid = proc.Thread(pid); return tid != pid })
	assert.Equal(t, fmt.Sprintf("/proc/%d/task/%d", pid, tid), proc.Folder(pid))
	assert.True(t, proc.HasThreads(pid))
	assert.False(t, proc.Ended(pid))
	assert.Equal(t, pid, proc.Of(tid))
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if !errors.Is(err, fs.ErrPermission) { // it is root's
		require.NoError(t, err)
		assert.Empty(t, fds, "which is what it takes the other thread for")
	}
	fds, err = os.ReadDir(proc.Folder(pid) + "/fd")
	require.NoError(t, err)
	assert.NotEmpty(t, fds)
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	me := os.Getpid()
	assert.Equal(t, me, proc.Thread(me))
	assert.Equal(t, fmt.Sprintf("/proc/%d", me), proc.Folder(me))
	assert.True(t, proc.HasThreads(me))
	assert.True(t, proc.Shows(me))
	assert.False(t, proc.Ended(me))
	name, err := proc.Name(me)
	require.NoError(t, err)
	assert.Equal(t, "proc.test", name)
	pids, _, err := proc.All()
	require.NoError(t, err)
	assert.Contains(t, pids, me)
	assert.IsIncreasing(t, pids)

	one := exec.Command("sleep", "60") // which has one thread
	require.NoError(t, one.Start())
	pid := one.Process.Pid
	assert.False(t, proc.HasThreads(pid))
	require.NoError(t, one.Process.Kill())
	testkit.Until(t, "it is a zombie", func() bool { return proc.Ended(pid) })
	assert.Equal(t, pid, proc.Thread(pid))
	assert.ErrorIs(t, proc.WhyNot(pid), fs.ErrNotExist)
	assert.ErrorContains(t, proc.WhyNot(pid), "it has ended")
	one.Wait()
	assert.False(t, proc.Ended(pid), "nothing is known of it")
	for _, nobody := range []int{pid, 0, -1, 1 << 30} {
		assert.EqualError(t, proc.WhyNot(nobody), "there is no such process")
	}
	name, err = proc.Name(pid)
	require.NoError(t, err)
	assert.Empty(t, name)
}

func TestAHeldProcess(t *testing.T) {
	t.Parallel()
	one := exec.Command("sleep", "60")
	require.NoError(t, one.Start())
	held, err := proc.Hold(one.Process.Pid)
	require.NoError(t, err)
	defer held.Close()
	assert.False(t, held.Ended())
	require.NoError(t, one.Process.Kill())
	testkit.Until(t, "it is a zombie", held.Ended)
	one.Wait()
	assert.True(t, held.Ended())
	_, err = proc.Hold(one.Process.Pid)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}
