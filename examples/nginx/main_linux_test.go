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
	testkit.Root(t) // to look at nginx' socket
	var out bytes.Buffer
	err := run(&out)
	testkit.Need(t, !errors.Is(err, servers.ErrMissing), "needs nginx")
	require.NoError(t, err)
	assert.Regexp(t, `^answer 200 OK nginx/\S+ Keep-Alive: timeout=75\n`+
		`Go     on idle=60s interval=6s count=3 user-timeout=79s\n`+
		`nginx  on idle=60s interval=6s count=3 user-timeout=off\n$`, out.String())
}
