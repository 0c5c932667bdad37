package peek_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/peek"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// peekedEnv makes TestPeekedProcess a process to look at.
const peekedEnv = "KEEPALIVE_TEST_PEEKED"

// TestPeekedProcess is the process that the tests below look at, not a test. It
// prints a connection's descriptor and inode, and lives until its input ends.
func TestPeekedProcess(t *testing.T) {
	mode := os.Getenv(peekedEnv)
	if mode == "" {
		t.Skip("for other tests")
	}
	if mode == "undumpable" {
		require.NoError(t, unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
	}
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: 1234 * time.Second, Interval: 56 * time.Second, Count: 7, UserTimeout: 89 * time.Second}))
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		var st unix.Stat_t
		require.NoError(t, unix.Fstat(int(fd), &st))
		fmt.Println("peek at", fd, st.Ino)
	}))
	bufio.NewReader(os.Stdin).ReadString('\n')
}

// startPeeked returns the child, and its connection.
func startPeeked(t *testing.T, mode string) (o peek.Descriptor, inode uint32, stop func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestPeekedProcess$")
	cmd.Env = append(os.Environ(), peekedEnv+"="+mode)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	testkit.Start(t, cmd)
	stop = func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
	}
	t.Cleanup(stop)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, _ := fmt.Sscanf(lines.Text(), "peek at %d %d", &o.FD, &inode); n == 2 {
			o.PID = cmd.Process.Pid
			return o, inode, stop
		}
	}
	t.Fatal("the child said nothing")
	return
}

// settings reads the settings through one descriptor.
func settings(p *peek.Peeker, d peek.Descriptor, inode uint32) (platform.Settings, error) {
	one := []peek.Peek{{From: []peek.Descriptor{d}, Inode: inode}}
	p.Read(one)
	return one[0].Settings, one[0].Err
}

func needPidfd(t *testing.T) {
	t.Helper()
	var p peek.Peeker
	defer p.Close()
	_, err := settings(&p, peek.Descriptor{PID: 1, FD: 1 << 20}, 1)
	testkit.Need(t, !errors.Is(err, errors.ErrUnsupported), "needs Linux 5.9 (pidfd_getfd, close_range)")
}

func flagsOf(t *testing.T, o peek.Descriptor) string {
	t.Helper()
	info, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", o.PID, o.FD))
	require.NoError(t, err)
	for line := range strings.Lines(string(info)) {
		if strings.HasPrefix(line, "flags:") {
			return line
		}
	}
	return ""
}

func TestSettingsOfAnotherProcess(t *testing.T) {
	needPidfd(t)
	o, inode, stop := startPeeked(t, "plain")
	var p peek.Peeker
	defer p.Close()
	before := flagsOf(t, o)
	got, err := settings(&p, o, inode)
	if errors.Is(err, fs.ErrPermission) {
		testkit.Need(t, false, "needs permission to trace a child (Yama)")
	}
	require.NoError(t, err)
	assert.True(t, got.Enabled)
	assert.Equal(t, 1234*time.Second, got.Idle)
	assert.Equal(t, 56*time.Second, got.Interval)
	assert.Equal(t, 7, got.Count)
	assert.Equal(t, 89*time.Second, got.UserTimeout)
	assert.Equal(t, before, flagsOf(t, o), "its flags are shared")
	peeks := []peek.Peek{{From: []peek.Descriptor{o}, Inode: inode}}
	p.Read(peeks)
	require.NoError(t, peeks[0].Err)
	assert.Equal(t, got, peeks[0].Settings)
	if fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); assert.NoError(t, err) {
		defer unix.Close(fd)
		const tcpRTOMaxMS = 44
		ms, _ := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, tcpRTOMaxMS) // 0 before Linux 6.15
		assert.Equal(t, time.Duration(ms)*time.Millisecond, peeks[0].LongestRTO)
	}

	_, err = settings(&p, o, inode+1)
	assert.ErrorIs(t, err, peek.ErrChanged)
	_, err = settings(&p, peek.Descriptor{PID: o.PID, FD: 1}, inode) // a pipe
	assert.ErrorIs(t, err, peek.ErrChanged)
	_, err = settings(&p, peek.Descriptor{PID: o.PID, FD: 9999}, inode)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	stop()
	_, err = settings(&p, o, inode)
	assert.ErrorIs(t, err, fs.ErrNotExist, "the process has ended")
	_, err = settings(new(peek.Peeker), o, inode)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestSettingsOfOneself(t *testing.T) {
	t.Parallel()
	needPidfd(t)
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: 1234 * time.Second}))
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	var p peek.Peeker
	defer p.Close()
	require.NoError(t, rc.Control(func(fd uintptr) {
		var st unix.Stat_t
		require.NoError(t, unix.Fstat(int(fd), &st))
		got, err := settings(&p, peek.Descriptor{PID: os.Getpid(), FD: int(fd)}, uint32(st.Ino))
		require.NoError(t, err)
		assert.Equal(t, 1234*time.Second, got.Idle)
	}))
	u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer u.Close()
	rc, err = u.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		var st unix.Stat_t
		require.NoError(t, unix.Fstat(int(fd), &st))
		_, err := settings(&p, peek.Descriptor{PID: os.Getpid(), FD: int(fd)}, uint32(st.Ino))
		assert.ErrorIs(t, err, peek.ErrChanged, "not TCP")
	}))
}

func TestSettingsThatNobodyMayRead(t *testing.T) {
	needPidfd(t)
	if os.Getenv(peekedEnv+"_TARGET") == "" {
		o, inode, _ := startPeeked(t, "plain")
		t.Setenv(peekedEnv+"_TARGET", fmt.Sprintf("%d %d %d", o.PID, o.FD, inode))
	}
	if !testkit.InChildAsNobody(t) {
		return
	}
	var o peek.Descriptor
	var inode uint32
	_, err := fmt.Sscan(os.Getenv(peekedEnv+"_TARGET"), &o.PID, &o.FD, &inode)
	require.NoError(t, err)
	var p peek.Peeker
	defer p.Close()
	_, err = settings(&p, o, inode)
	assert.ErrorIs(t, err, fs.ErrPermission, "a process of root")

	o, inode, _ = startPeeked(t, "undumpable")
	_, err = settings(&p, o, inode)
	assert.ErrorIs(t, err, fs.ErrPermission, "a process that asked not to be traced")
}

// If a descriptor is closed meanwhile, or belongs to another user, the settings are read
// through another one.
func TestTheNextDescriptorIsAsked(t *testing.T) {
	needPidfd(t)
	o, inode, _ := startPeeked(t, "plain")
	var p peek.Peeker
	defer p.Close()
	peeks := []peek.Peek{
		{Inode: inode, From: []peek.Descriptor{{o.PID, 9999}, {1 << 30, 0}, o, {o.PID, 1}}},
		{Inode: inode, From: []peek.Descriptor{{o.PID, 9999}, {o.PID, 1}}},
		{Inode: inode},
	}
	p.Read(peeks)
	require.NoError(t, peeks[0].Err)
	assert.Equal(t, 1234*time.Second, peeks[0].Settings.Idle)
	assert.ErrorIs(t, peeks[1].Err, peek.ErrChanged)
	assert.Zero(t, peeks[2].Settings.Known, "nobody was asked")
}

// Not parallel: it counts descriptors.
func TestPeekersHoldFewProcesses(t *testing.T) {
	needPidfd(t)
	var pids []int
	for range 70 { // more than a Peeker keeps
		cmd := exec.Command("/bin/sleep", "60")
		require.NoError(t, cmd.Start())
		defer cmd.Wait()
		defer cmd.Process.Kill()
		pids = append(pids, cmd.Process.Pid)
	}
	before := testkit.OpenFDs(t)
	var p peek.Peeker
	for _, pid := range pids {
		_, err := settings(&p, peek.Descriptor{PID: pid, FD: 0}, 1)
		assert.ErrorIs(t, err, peek.ErrChanged)
		assert.LessOrEqual(t, testkit.OpenFDs(t), before+64)
	}
	p.Close()
	assert.Equal(t, before, testkit.OpenFDs(t))
}
