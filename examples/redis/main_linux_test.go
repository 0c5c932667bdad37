package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/examples/internal/servers"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

func TestRun(t *testing.T) {
	t.Parallel()
	testkit.Root(t) // to look at redis-server's socket
	for name, useTLS := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := run(&out, "", useTLS)
			testkit.Need(t, !errors.Is(err, servers.ErrMissing), "needs redis-server")
			require.NoError(t, err)
			assert.Equal(t, "answer       PONG\n"+
				"go-redis     on idle=60s interval=6s count=3 user-timeout=79s\n"+
				"redis-server on idle=60s interval=20s count=3 user-timeout=off\n", out.String())
		})
	}
}
