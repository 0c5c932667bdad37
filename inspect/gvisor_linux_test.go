package inspect_test

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/inspect"
)

// gVisor has no sock_diag, its /proc/net/tcp shows every timer as off, and its
// TCP_INFO no times. That is unknown, not off and not 0. .ci/gvisor runs this.
func TestGVisorTimerIsUnknownNotOff(t *testing.T) {
	if os.Getenv("KEEPALIVE_TEST_GVISOR") != "1" {
		t.Skip("KEEPALIVE_TEST_GVISOR is not 1")
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 100 * time.Second, Interval: 20 * time.Second, Count: 3}}
	client, err := d.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	server, err := l.Accept()
	require.NoError(t, err)

	r, err := inspect.Of(client)
	require.NoError(t, err)
	assert.True(t, r.Settings.Enabled)
	assert.Equal(t, 100*time.Second, r.Settings.Idle)
	assert.Equal(t, "", r.Timer.Kind)
	assert.Error(t, r.Unknown)
	assert.False(t, r.Activity.Known, "TCP_INFO has no times")
	assert.Contains(t, r.Explain(), "unknown")
	assert.Equal(t, "timer:(unknown)", r.Timer.String())

	assert.NoError(t, inspect.Alive(client))
	require.NoError(t, server.Close())
	assert.Eventually(t, func() bool { return inspect.Alive(client) != nil }, 5*time.Second, 10*time.Millisecond)
	assert.ErrorIs(t, inspect.Alive(client), inspect.ErrPeerClosed)

	n := 0
	for s, err := range inspect.List(inspect.Filter{States: allStates}) {
		if err != nil {
			require.NoError(t, err)
		}
		assert.Equal(t, "/proc/net/tcp", s.Source)
		assert.Equal(t, "", s.Timer.Kind)
		n++
	}
	assert.Equal(t, 2, n, "the listener and the client")
}
