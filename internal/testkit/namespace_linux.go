package testkit

import (
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// InNamespace runs f on a thread in a new network namespace, with its loopback
// interface up, and then returns to the old one. Goroutines that f starts do not
// run in it; programs that f runs do.
func InNamespace(t *testing.T, f func()) {
	t.Helper()
	Root(t)
	runtime.LockOSThread() // stays locked if the return fails
	old, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(old)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		Need(t, false, "needs to make a network namespace: "+err.Error())
	}
	defer func() {
		if assert.NoError(t, unix.Setns(old, unix.CLONE_NEWNET)) {
			runtime.UnlockOSThread()
		}
	}()
	loopbackUp(t)
	f()
}

// loopbackUp uses an ioctl, which works in a child without netlink too.
func loopbackUp(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	require.NoError(t, err)
	lo.SetUint16(unix.IFF_UP)
	require.NoError(t, unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo))
}

// IP runs the command ip with these arguments, one line at a time, in the
// network namespace of the thread.
func IP(t *testing.T, lines ...string) {
	t.Helper()
	ip := Tool(t, "ip")
	for _, line := range lines {
		out, err := exec.Command("/bin/sh", "-c", ip+" "+line).CombinedOutput()
		require.NoError(t, err, "ip %s: %s", line, out)
	}
}
