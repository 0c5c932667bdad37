package dialer_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
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
			d, err := dialer.New(cfg)
			require.Error(t, err)
			assert.Nil(t, d)
			refused := dialer.Dialer{Config: cfg}
			require.Error(t, refused.Check())
			_, err = refused.Dial("tcp", "127.0.0.1:9")
			var op *net.OpError
			require.ErrorAs(t, err, &op)
			assert.Equal(t, "dial", op.Op)

			theirs := net.Dialer{KeepAlive: time.Minute}
			require.Error(t, dialer.Configure(&theirs, cfg))
			assert.Equal(t, time.Minute, theirs.KeepAlive, "unchanged")
			assert.Nil(t, theirs.ControlContext)
		})
	}
}

func TestConfigureNil(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, dialer.Configure(nil, sockopt.Config{}), "nil")
}
