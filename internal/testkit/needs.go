package testkit

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// NeedIPv6 skips on a machine without ::1.
func NeedIPv6(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp6", "[::1]:0")
	Need(t, err == nil, "needs IPv6 on loopback")
	l.Close()
}

// NeedUDP skips under Wine, whose UDP sockets do not support what package net does with
// them.
func NeedUDP(t testing.TB) {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	Need(t, err == nil, fmt.Sprintf("needs UDP: %v", err))
	c.Close()
}

// UnixPath returns a path for a Unix socket, which is removed when the test ends. It is
// shorter than those of t.TempDir, because a socket's path is limited to 104 bytes on
// macOS.
func UnixPath(t testing.TB) string {
	t.Helper()
	Need(t, runtime.GOOS != "windows", "needs Unix sockets, which Windows has since 1803 and Wine has not")
	dir, err := os.MkdirTemp("", "k")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}
