package testkit

import (
	"errors"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// DropReceived makes the kernel drop every segment that the socket receives: a
// classic BPF program of one instruction, ret #0.
func DropReceived(t testing.TB, c syscall.Conn) {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	drop := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}
	require.NoError(t, rc.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop})
	}))
	// Some kernels permit this only to root.
	Need(t, !errors.Is(err, unix.EPERM), "needs permission for SO_ATTACH_FILTER")
	require.NoError(t, err)
}
