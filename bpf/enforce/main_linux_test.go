package enforce_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/bpf/enforce"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// config is one that nothing else here has.
var config = sockopt.Config{Idle: 51 * time.Second, Interval: 6 * time.Second, Count: 4, UserTimeout: 45 * time.Second}

var enforced = testkit.Values{KeepAlive: 1, Idle: 51, Interval: 6, Count: 4, UserTimeout: 45000}

func one(r enforce.Rule) enforce.Policy { return enforce.Policy{Rules: []enforce.Rule{r}} }

// needPermission skips a test that attaches programs where that is not permitted.
func needPermission(t testing.TB) {
	t.Helper()
	testkit.Root(t)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(fd)
	outside, err := os.ReadFile("/proc/self/uid_map")
	require.NoError(t, err)
	var inner, outer, size uint32
	fmt.Sscan(string(outside), &inner, &outer, &size)
	testkit.Need(t, size == 1<<32-1, "needs CAP_BPF and CAP_NET_ADMIN, and to be outside of user namespaces")
}

// bpffs mounts a BPF file system for the test, and returns a directory for pins in it.
func bpffs(t testing.TB) string {
	t.Helper()
	needPermission(t)
	dir := t.TempDir()
	err := unix.Mount("bpf", dir, "bpf", 0, "")
	testkit.Need(t, err == nil, fmt.Sprintf("needs to mount a BPF file system: %v", err))
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return filepath.Join(dir, "keepalive")
}

var cgroups atomic.Int32

// cgroup makes a control group, which is removed when the test ends.
func cgroup(t testing.TB) string {
	t.Helper()
	needPermission(t)
	mount, err := enforce.CgroupMount()
	testkit.Need(t, err == nil, fmt.Sprint("needs cgroup v2: ", err))
	dir := filepath.Join(mount, fmt.Sprintf("keepalive-test-%d-%d", os.Getpid(), cgroups.Add(1)))
	makeCgroup(t, dir)
	return dir
}

func makeCgroup(t testing.TB, dir string) {
	t.Helper()
	err := os.Mkdir(dir, 0o755)
	testkit.Need(t, err == nil, fmt.Sprint("needs to make a control group: ", err))
	t.Cleanup(func() {
		if _, err := os.Lstat(dir); err == nil {
			testkit.Until(t, "the control group is empty", func() bool { return unix.Rmdir(dir) == nil })
		}
	})
}

// within lets a command start in a control group.
func within(t testing.TB, dir string, cmd *exec.Cmd) {
	t.Helper()
	f, err := os.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(f.Fd())
}

// inCgroup is testkit.InChild with a child in a control group that has this policy.
func inCgroup(t *testing.T, p func() enforce.Policy) bool {
	t.Helper()
	if testkit.IsChild(t) {
		return true
	}
	cg := cgroup(t)
	dir := bpffs(t)
	require.NoError(t, enforce.Attach(dir, cg, p()))
	return testkit.InChild(t, func(cmd *exec.Cmd) { within(t, cg, cmd) })
}

// set makes the call of a program.
func set(t *testing.T, c syscall.Conn, level, option, value int) error {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	var result error
	require.NoError(t, rc.Control(func(fd uintptr) { result = unix.SetsockoptInt(int(fd), level, option, value) }))
	return result
}

// listenPlain listens without what package net sets on accepted connections.
func listenPlain(address string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	return lc.Listen(context.Background(), "tcp", address)
}

// pair is a connection whose client makes calls before it connects.
func pair(t *testing.T, address string, before func(fd int)) (client, server *net.TCPConn) {
	t.Helper()
	l, err := listenPlain(address)
	require.NoError(t, err)
	defer l.Close()
	d := net.Dialer{KeepAlive: -1, Control: func(_, _ string, rc syscall.RawConn) error {
		return rc.Control(func(fd uintptr) { before(int(fd)) })
	}}
	c, err := d.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	return testkit.Closing(t, c.(*net.TCPConn)), testkit.Accept(t, l, c).(*net.TCPConn)
}
