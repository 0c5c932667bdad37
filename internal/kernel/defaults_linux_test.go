package kernel_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

const procTCP = "/proc/sys/net/ipv4/tcp_keepalive_"

// procSettings reads the sysctls of the calling thread's network namespace.
func procSettings(t *testing.T) Settings {
	t.Helper()
	read := func(name string) int {
		text, err := os.ReadFile(procTCP + name)
		testkit.Need(t, err == nil, "needs "+procTCP+name)
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		require.NoError(t, err)
		return n
	}
	return Settings{Known: allKnown, Enabled: false, Idle: time.Duration(read("time")) * time.Second, Interval: time.Duration(read("intvl")) * time.Second, Count: read("probes"), UserTimeout: 0}
}

func TestSystemDefaults(t *testing.T) {
	t.Parallel()
	want := procSettings(t)
	got, err := SystemDefaults()
	require.NoError(t, err)
	assert.Equal(t, want, got)

	fd := socket(t, unix.AF_INET, unix.SOCK_STREAM, 0)
	preset(t, fd)
	got, err = SystemDefaultsOf(uintptr(fd))
	require.NoError(t, err)
	assert.Equal(t, want, got, "the namespace's values, not those of this socket")

	_, err = SystemDefaultsOf(noDescriptor)
	require.ErrorIs(t, err, unix.EBADF)
}

// inNamespace runs f on a thread in a network namespace of its own, whose
// tcp_keepalive_time is 1234 s, and returns to the old one.
func inNamespace(t *testing.T, f func()) {
	t.Helper()
	testkit.Root(t)
	runtime.LockOSThread() // stays so, should the way back fail
	old, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(old)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		testkit.Need(t, false, "needs to make a network namespace: "+err.Error())
	}
	defer func() {
		if assert.NoError(t, unix.Setns(old, unix.CLONE_NEWNET)) {
			runtime.UnlockOSThread()
		}
	}()
	err = os.WriteFile(procTCP+"time", []byte("1234"), 0)
	testkit.Need(t, err == nil, "needs a writable "+procTCP+"time")
	f()
}

// foreignSocket returns a socket that is in another network namespace than the
// test.
func foreignSocket(t *testing.T) (fd uintptr) {
	t.Helper()
	inNamespace(t, func() {
		s := socket(t, unix.AF_INET, unix.SOCK_STREAM, 0)
		preset(t, s)
		fd = uintptr(s)
	})
	return fd
}

func TestSystemDefaultsAreThoseOfTheThread(t *testing.T) {
	here, err := SystemDefaults()
	require.NoError(t, err)
	ours := socket(t, unix.AF_INET, unix.SOCK_STREAM, 0)
	inNamespace(t, func() {
		got, err := SystemDefaults()
		require.NoError(t, err)
		assert.Equal(t, procSettings(t), got)
		assert.Equal(t, 1234*time.Second, got.Idle)

		got, err = SystemDefaultsOf(uintptr(ours))
		require.NoError(t, err)
		assert.Equal(t, here, got, "from inside, the socket's namespace is the foreign one")
	})
}

func TestSystemDefaultsOfAForeignSocket(t *testing.T) {
	here, err := SystemDefaults()
	require.NoError(t, err)
	require.NotEqual(t, 1234*time.Second, here.Idle)
	fd := foreignSocket(t)

	got, err := SystemDefaultsOf(fd)
	require.NoError(t, err)
	assert.Equal(t, 1234*time.Second, got.Idle, "neither ours nor the socket's own 111 s")
	assert.Equal(t, allKnown, got.Known)

	after, err := SystemDefaults()
	require.NoError(t, err)
	assert.Equal(t, here, after, "the caller stays where it was")
}

// The program's first thread cannot end, so it must not be the one that enters
// the other namespace: it would stay there, and /proc/self with it.
func TestSystemDefaultsOfLeavesTheFirstThreadAlone(t *testing.T) {
	fd := foreignSocket(t)
	before, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	onFirstThread(t, func() { _, err = SystemDefaultsOf(fd) })
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

func TestSystemDefaultsOfAForeignSocketNeedsCapNetAdmin(t *testing.T) {
	fd := foreignSocket(t)
	runtime.LockOSThread() // capabilities belong to the thread
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var all [2]unix.CapUserData
	require.NoError(t, unix.Capget(&header, &all[0]))
	fewer := all
	fewer[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	require.NoError(t, unix.Capset(&header, &fewer[0]))
	got, err := SystemDefaultsOf(fd)
	ours, ownErr := SystemDefaults()
	require.NoError(t, unix.Capset(&header, &all[0]))
	runtime.UnlockOSThread()

	require.ErrorIs(t, err, unix.EPERM)
	assert.ErrorContains(t, err, "another network namespace")
	assert.Zero(t, got, "nothing is Known")
	require.NoError(t, ownErr, "one's own defaults take no privilege")
	assert.Equal(t, allKnown, ours.Known)
}
