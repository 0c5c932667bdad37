package listener_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// New checks what Listen would, and names every field.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	_, err := listener.New(sockopt.Config{Idle: 40000 * time.Second, Count: 1000})
	var faults platform.Faults
	require.ErrorAs(t, err, &faults)
	require.Len(t, faults, 2)
	lc := listener.ListenConfig{Config: sockopt.Config{Idle: 40000 * time.Second, Count: 1000}}
	_, listenErr := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	assert.EqualError(t, err, "listener: "+faults.Error())
	assert.EqualError(t, listenErr, "listen tcp: "+faults.Error())
}

func TestListenErrorOfLinux(t *testing.T) {
	t.Parallel()
	lc := listener.ListenConfig{Config: sockopt.Config{Idle: 40000 * time.Second, Count: 1000}}
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.ErrorContains(t, err, "TCP_KEEPIDLE on linux takes 1s")
	require.ErrorContains(t, err, "count=1000")
	assert.Nil(t, l)
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	assert.Equal(t, "listen", op.Op)
}
