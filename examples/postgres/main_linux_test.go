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
	var out bytes.Buffer
	err := run(&out, "")
	testkit.Need(t, !errors.Is(err, servers.ErrMissing), "needs PostgreSQL")
	require.NoError(t, err)
	assert.Equal(t, "pgx        on idle=60s interval=6s count=3 user-timeout=79s\n"+
		"PostgreSQL tcp_keepalives_idle=60 tcp_keepalives_interval=6 tcp_keepalives_count=3 tcp_user_timeout=79000\n"+
		"not handed out: inspect: the peer has closed the connection\n"+
		"the query was answered: 1\n", out.String())
}
