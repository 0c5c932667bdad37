package testkit

import (
	"testing"

	"golang.org/x/sys/unix"
)

// NeedMultipath skips unless this kernel has Multipath TCP sockets with
// keepalive options (Linux 6.10).
func NeedMultipath(t testing.TB) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	Need(t, err == nil, "needs a kernel with Multipath TCP switched on")
	defer unix.Close(fd)
	err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 111)
	Need(t, err == nil, "needs Linux 6.10, where Multipath TCP takes TCP_KEEPIDLE")
}
