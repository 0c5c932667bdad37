package socktest

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Values are the options of a Linux socket as the kernel counts them: seconds,
// and milliseconds for the user timeout.
type Values struct{ KeepAlive, Idle, Interval, Count, UserTimeout int }

// GoDefaults is what package net sets: 15 s, 15 s, 9.
var GoDefaults = Values{1, 15, 15, 9, 0}

// KernelDefaults is what a socket has that nobody has touched, on a machine
// whose sysctls are the kernel's own.
var KernelDefaults = Values{0, 7200, 75, 9, 0}

// Read asks the kernel. A user timeout that this socket does not have (Multipath
// TCP) reads -1.
func Read(t testing.TB, c syscall.Conn) Values {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	var v Values
	require.NoError(t, rc.Control(func(fd uintptr) {
		get := func(level, option int) int {
			n, err := unix.GetsockoptInt(int(fd), level, option)
			require.NoError(t, err)
			return n
		}
		v.KeepAlive = get(unix.SOL_SOCKET, unix.SO_KEEPALIVE)
		v.Idle = get(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
		v.Interval = get(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL)
		v.Count = get(unix.IPPROTO_TCP, unix.TCP_KEEPCNT)
		v.UserTimeout, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		if err != nil {
			v.UserTimeout = -1
		}
	}))
	return v
}
