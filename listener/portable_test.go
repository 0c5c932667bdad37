package listener_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// These tests run wherever Go runs: no operating system takes a negative value.

func TestNegativeIsAnErrorEverywhere(t *testing.T) {
	t.Parallel()
	for rule, cfg := range map[string]sockopt.Config{
		"idle":         {Idle: -time.Second},
		"interval":     {Interval: -time.Second},
		"count":        {Count: -1},
		"user timeout": {UserTimeout: -2},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			made, err := listener.New(cfg)
			require.Error(t, err)
			assert.Nil(t, made)
			lc := listener.ListenConfig{Config: cfg}
			l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
			assert.Nil(t, l)
			var op *net.OpError
			require.ErrorAs(t, err, &op)
			assert.Equal(t, "listen", op.Op)

			l, err = listener.Wrap(nothing{}, cfg)
			require.Error(t, err)
			assert.Nil(t, l)

			theirs := net.ListenConfig{KeepAlive: time.Minute}
			require.Error(t, listener.Configure(&theirs, cfg))
			assert.Equal(t, time.Minute, theirs.KeepAlive, "unchanged")
			assert.Nil(t, theirs.Control)
		})
	}
}

// nothing is a listener that has no socket.
type nothing struct{}

func (nothing) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (nothing) Close() error              { return nil }
func (nothing) Addr() net.Addr            { return &net.UnixAddr{} }

func TestNil(t *testing.T) {
	t.Parallel()
	_, err := listener.Wrap(nil, sockopt.Config{})
	require.ErrorContains(t, err, "nil")
	_, err = listener.Restore(nil)
	require.ErrorContains(t, err, "nil")
	require.ErrorContains(t, listener.Configure(nil, sockopt.Config{}), "nil")
}

func TestNoSocket(t *testing.T) {
	t.Parallel()
	want := sockopt.ErrNoSocket
	if platform.Current().Spec(platform.KeepAlive) == nil {
		want = errors.ErrUnsupported // a Config comes to nothing before its listener is looked at
	}
	_, err := listener.Wrap(nothing{}, sockopt.Config{})
	require.ErrorIs(t, err, want)
	_, err = listener.Restore(nothing{})
	require.ErrorIs(t, err, sockopt.ErrNoSocket)
}
