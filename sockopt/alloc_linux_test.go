package sockopt_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// net's SyscallConn allocates its RawConn; nothing else may. Not parallel:
// allocations are counted for the whole process.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	rc, err := conn.SyscallConn()
	require.NoError(t, err)
	setter, err := socket.OS{}.NewSetter(kernel.Request(fullConfig))
	require.NoError(t, err)
	pinned := sockopt.Pin(conn)
	for _, tt := range []struct {
		rule string
		call func() error
		most float64
	}{
		{"Setter.Hook", func() error { return setter.Hook("tcp4", "127.0.0.1:1", rc) }, 0},
		{"Setter.Set of a RawConn", func() error { return setter.Set(rc) }, 0},
		{"Setter.Set of a connection", func() error { return setter.Set(conn) }, 1},
		{"Setter.Set of a pinned connection", func() error { return setter.Set(pinned) }, 1},
		{"Set of a RawConn", func() error { return sockopt.Set(rc, fullConfig) }, 0},
		{"Set of a connection", func() error { return sockopt.Set(conn, fullConfig) }, 1},
		{"Get of a RawConn", func() error { _, err := sockopt.Get(rc); return err }, 0},
		{"Get of a connection", func() error { _, err := sockopt.Get(conn); return err }, 1},
		{"Validate", fullConfig.Validate, 0},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			require.NoError(t, tt.call())
			got := testing.AllocsPerRun(1000, func() { err = tt.call() })
			require.NoError(t, err)
			assert.LessOrEqual(t, got, tt.most)
		})
	}
}
