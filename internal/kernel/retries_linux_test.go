package kernel_test

import (
	"io/fs"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

func TestSystemRetries(t *testing.T) {
	t.Parallel()
	var fd int
	want := Retries{Data: 5, Orphan: 3, SYN: 2, LinearSYN: 4, LongestRTO: 120 * time.Second, Multipath: time.Minute}
	testkit.InNamespace(t, func() {
		got, err := SystemRetries()
		require.NoError(t, err)
		assert.Equal(t, DefaultRetries(), got, "a new network namespace of Linux 6.5 and later")
		for name, value := range map[string]string{"tcp_retries2": "5", "tcp_orphan_retries": "3", "tcp_syn_retries": "2"} {
			require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0))
		}
		got, err = SystemRetries()
		require.NoError(t, err)
		assert.Equal(t, want, got)
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		require.NoError(t, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_SYNCNT, 9))
	})
	defer unix.Close(fd)
	want.SYN = 9
	got, err := SystemRetriesOf(uintptr(fd))
	require.NoError(t, err)
	assert.Equal(t, want, got, "asked from another namespace")
}

// foreignSocket returns a socket that is in another network namespace than the
// test.
func foreignSocket(t *testing.T) (fd uintptr) {
	t.Helper()
	testkit.InNamespace(t, func() {
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		t.Cleanup(func() { unix.Close(s) })
		fd = uintptr(s)
	})
	return fd
}

// The program's first thread cannot end, so it must not be the one that enters
// the other namespace: it would stay there, and /proc/self with it.
func TestSystemRetriesOfLeavesTheFirstThreadAlone(t *testing.T) {
	fd := foreignSocket(t)
	before, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	onFirstThread(t, func() { _, err = SystemRetriesOf(fd) })
	require.NoError(t, err)
	after, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

// onFirstThread runs f on the program's first thread, with a single P, so that
// a goroutine that f starts and waits for runs there as well. It keeps every
// other thread it meets busy until the first one turns up.
func onFirstThread(t *testing.T, f func()) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	release := make(chan struct{})
	defer close(release)
	for range 1000 {
		time.AfterFunc(time.Microsecond, func() {}) // wakes it should it be the one that waits in epoll
		first := make(chan bool)
		go func() {
			runtime.LockOSThread()
			if unix.Gettid() != unix.Getpid() {
				first <- false
				<-release
				return
			}
			runtime.UnlockOSThread()
			f()
			first <- true
		}()
		if <-first {
			return
		}
	}
	require.Fail(t, "the first thread never turned up", "a goroutine that ended while locked to it explains that")
}

func TestSystemRetriesOfAForeignSocketNeedsCapNetAdmin(t *testing.T) {
	fd := foreignSocket(t)
	runtime.LockOSThread() // capabilities belong to the thread
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var all [2]unix.CapUserData
	require.NoError(t, unix.Capget(&header, &all[0]))
	fewer := all
	fewer[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	require.NoError(t, unix.Capset(&header, &fewer[0]))
	got, err := SystemRetriesOf(fd)
	ours, ownErr := SystemRetries()
	require.NoError(t, unix.Capset(&header, &all[0]))
	runtime.UnlockOSThread()

	require.ErrorIs(t, err, unix.EPERM)
	assert.ErrorContains(t, err, "another network namespace")
	assert.Zero(t, got)
	require.NoError(t, ownErr, "one's own limits take no privilege")
	assert.NoError(t, ours.Validate())
}

func TestSystemRetriesOfNoDescriptor(t *testing.T) {
	t.Parallel()
	_, err := SystemRetriesOf(noDescriptor)
	assert.ErrorIs(t, err, unix.EBADF)
}

func TestRetriesWithoutProcAreNotKnown(t *testing.T) {
	t.Parallel()
	if !testkit.InChild(t, nil) {
		return
	}
	testkit.HideProc(t)
	got, err := SystemRetries()
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Zero(t, got)
}

// Times of Documentation/networking/ip-sysctl.rst, and measured ones.
func TestTimesOfRetries(t *testing.T) {
	t.Parallel()
	r := DefaultRetries()
	require.NoError(t, r.Validate())
	assert.Equal(t, 924600*time.Millisecond, r.DataTimeout())
	assert.Equal(t, 102200*time.Millisecond, r.OrphanTimeout())
	assert.Equal(t, 131*time.Second, r.ConnectTimeout())
	r.LinearSYN = 0
	assert.Equal(t, 127*time.Second, r.ConnectTimeout(), "before Linux 6.5")
	r.Data = 5
	assert.Equal(t, 12600*time.Millisecond, r.DataTimeout())
	r = DefaultRetries()
	r.LongestRTO = time.Second
	assert.Equal(t, 14400*time.Millisecond, r.DataTimeout())
	assert.Equal(t, 7*time.Second, r.ConnectTimeout())
	r.Data = 255
	assert.Greater(t, r.DataTimeout(), 254*time.Second)
}
