package listener_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func isMultipath(fd uintptr) bool {
	n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return err == nil && n == unix.IPPROTO_MPTCP
}

func protocolOf(t testing.TB, c any) (protocol int) {
	t.Helper()
	require.NoError(t, rawConn(t, c).Control(func(fd uintptr) {
		var err error
		protocol, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL)
		assert.NoError(t, err)
	}))
	return protocol
}

// isPlain reports whether c is a socket of plain TCP.
func isPlain(t testing.TB, c any) bool { return protocolOf(t, c) == unix.IPPROTO_TCP }
