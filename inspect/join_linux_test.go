package inspect_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// between is the Filter for the socket with these ends, whose settings are wanted.
func between(local, peer net.Addr, owners *inspect.Owners) inspect.Filter {
	return inspect.Filter{Local: []string{local.String()}, Peer: []string{peer.String()}, Owners: owners, Settings: true}
}

// There are more sockets than are read at a time, and each Report has the settings of its
// own socket.
func TestOwnersAndSettingsInOneLoop(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	const many = 1500
	idle := map[string]time.Duration{}
	for i := range many {
		c, err := net.Dial("tcp4", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		idle[c.LocalAddr().String()] = time.Duration(i+100) * time.Second
		require.NoError(t, sockopt.Set(c, sockopt.Config{Idle: idle[c.LocalAddr().String()]}))
	}
	owners, err := inspect.FindOwners(os.Getpid())
	require.NoError(t, err)
	for r, err := range inspect.List(inspect.Filter{Peer: []string{l.Addr().String()}, Owners: owners, Settings: true}) {
		require.NoError(t, err)
		require.NoError(t, r.Unknown)
		require.Len(t, r.Owners, 1)
		assert.Equal(t, os.Getpid(), r.Owners[0].PID)
		assert.Equal(t, idle[r.Local.String()], r.Settings.Idle)
		require.NotNil(t, r.Retries)
		assert.NotZero(t, r.Retries.Data)
		delete(idle, r.Local.String())
	}
	assert.Empty(t, idle)

	n := 0
	for range inspect.List(inspect.Filter{Peer: []string{l.Addr().String()}, Owners: owners, Settings: true}) {
		if n++; n == 3 {
			break
		}
	}
	assert.Equal(t, 3, n)
}

// FindOwners cannot know the owner of a socket that is opened later; List finds it.
func TestTheOwnerOfANewSocket(t *testing.T) {
	t.Parallel()
	all, err := inspect.FindOwners()
	require.NoError(t, err)
	mine, err := inspect.FindOwners(os.Getpid())
	require.NoError(t, err)
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	for owners, want := range map[*inspect.Owners]int{all: 1, mine: 0} {
		found := list(t, between(client.LocalAddr(), server.LocalAddr(), owners))
		require.Len(t, found, 1)
		// A child that another test is starting has it open, too, until exec.
		owners := slices.DeleteFunc(found[0].Owners, func(o inspect.Owner) bool { return owners == all && o.PID != os.Getpid() })
		assert.Len(t, owners, want, "those of one process are what was asked for")
		assert.Equal(t, want == 1, found[0].Settings.Known.Has(platform.Idle))
		assert.NoError(t, found[0].Unknown, "no process was asked, and nothing was reported")
	}
}

// Settings that may not be read are missing, and Unknown says why.
func TestSettingsInAListThatMayNotBeRead(t *testing.T) {
	const ends = "KEEPALIVE_TEST_ENDS" // of a connection of root
	if !testkit.IsChild(t) {
		testkit.Root(t)
		client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		t.Setenv(ends, client.LocalAddr().String()+" "+server.LocalAddr().String())
	}
	if !testkit.InChildAsNobody(t) {
		return
	}
	local, peer, _ := strings.Cut(os.Getenv(ends), " ")
	found := list(t, inspect.Filter{Local: []string{local}, Peer: []string{peer}})
	require.Len(t, found, 1)
	owners, err := inspect.FindOwners()
	require.NoError(t, err)
	processes, _ := owners.Denied()
	assert.NotZero(t, processes)
	assert.False(t, owners.Has(found[0].Inode))
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0") // one's own can be seen
	found = list(t, between(client.LocalAddr(), server.LocalAddr(), owners))
	require.Len(t, found, 1)
	testkit.Need(t, !errors.Is(found[0].Unknown, fs.ErrPermission), "needs to see its own")
	require.NoError(t, found[0].Unknown)
	assert.True(t, found[0].Settings.Known.Has(platform.Idle))
}

// Where /proc shows other numbers of processes than the kernel understands, sockets are
// open all the same, and their settings unknown. What was really closed is not there.
func TestSettingsWhereProcIsOfAnotherPIDNamespace(t *testing.T) {
	const ends = "KEEPALIVE_TEST_ENDS"
	if !testkit.IsChild(t) {
		testkit.Root(t)
		client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		t.Setenv(ends, client.LocalAddr().String()+" "+server.LocalAddr().String())
	}
	if !testkit.InChild(t, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	}) {
		return
	}
	local, peer, _ := strings.Cut(os.Getenv(ends), " ")
	owners, err := inspect.FindOwners()
	require.NoError(t, err)
	found := list(t, inspect.Filter{Local: []string{local}, Peer: []string{peer}, Owners: owners, Settings: true})
	require.Len(t, found, 1)
	assert.Zero(t, found[0].Settings.Known)
	assert.ErrorContains(t, found[0].Unknown, "although the socket is open: /proc is perhaps that of another PID namespace")
	assert.NotErrorIs(t, found[0].Unknown, fs.ErrNotExist)
}

// If the first owner of a socket has ended, its settings are read through another process
// that has inherited it.
func TestSettingsOfASocketWithANewOwner(t *testing.T) {
	t.Parallel()
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: 1234 * time.Second}))
	file, err := client.File()
	require.NoError(t, err)
	defer file.Close()
	first := exec.Command("sleep", "60")
	first.ExtraFiles = []*os.File{file}
	testkit.Start(t, first)
	second := exec.Command("sleep", "60")
	second.ExtraFiles = []*os.File{file}
	testkit.Start(t, second)
	file.Close()
	client.Close()
	owners, err := inspect.FindOwners()
	require.NoError(t, err)
	first.Process.Kill()
	first.Wait()
	found := list(t, between(client.LocalAddr(), server.LocalAddr(), owners))
	require.Len(t, found, 1)
	testkit.Need(t, !errors.Is(found[0].Unknown, fs.ErrPermission), "needs permission to trace a child (Yama)")
	require.NoError(t, found[0].Unknown)
	assert.Equal(t, 1234*time.Second, found[0].Settings.Idle)

	second.Process.Kill()
	second.Wait()
	for _, r := range list(t, between(client.LocalAddr(), server.LocalAddr(), owners)) { // on its way to its end
		assert.Zero(t, r.Inode)
	}
}

// A Report that was copied keeps its owners.
func TestCopiesOfReports(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	fds := map[string]int{}
	for range 5 {
		c, err := net.Dial("tcp4", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		rc, err := c.(*net.TCPConn).SyscallConn()
		require.NoError(t, err)
		require.NoError(t, rc.Control(func(fd uintptr) { fds[c.LocalAddr().String()] = int(fd) }))
	}
	owners, err := inspect.FindOwners(os.Getpid())
	require.NoError(t, err)
	for _, settings := range []bool{false, true} {
		kept := list(t, inspect.Filter{Peer: []string{l.Addr().String()}, Owners: owners, Settings: settings})
		require.Len(t, kept, 5)
		for _, r := range kept {
			require.Len(t, r.Owners, 1)
			assert.Equal(t, fds[r.Local.String()], r.Owners[0].FD)
		}
	}
}
