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
	testkit.Need(t, !errors.Is(err, servers.ErrMissing), "needs MariaDB")
	require.NoError(t, err)
	assert.Regexp(t, `^server \S+MariaDB\S*\nmysql  on idle=60s interval=6s count=3 user-timeout=79s\n$`, out.String())
}
