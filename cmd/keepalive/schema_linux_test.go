package main

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// What these commands print about real sockets is as their schemas describe it.
func TestSocketSchemas(t *testing.T) {
	clitest.InTurn(t)
	good := clitest.Ours(t, sockopt.Config{Idle: 60 * time.Second, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second})
	bad := clitest.Ours(t, sockopt.Config{Disabled: true})
	verdicts := map[any]bool{}
	for _, path := range []string{"aws-nlb-tcp", "aws-alb", "aws-vpc-endpoint", "aws-nlb-tcp,linkerd"} {
		for _, flags := range [][]string{good, bad} {
			_, out, errs := command(append([]string{"check", "--json", "--path", path}, flags...)...)
			objects := valid(t, "check", out)
			require.Len(t, objects, 2, errs)
			verdicts[objects[0]["verdict"]] = true
			assert.Contains(t, objects[1], "summary")
		}
	}
	for _, v := range []string{"survives", "survives if", "loses", "needs a heartbeat", "unknown"} {
		assert.True(t, verdicts[v], "%s: %v", v, verdicts)
	}
	_, out, errs := command("ls", "--json")
	assert.NotEmpty(t, valid(t, "ls", out), errs)
	_, out, errs = command(append([]string{"watch", "--json", "--interval", "100ms", "--rounds", "2"}, good...)...)
	assert.GreaterOrEqual(t, len(valid(t, "watch", out)), 4, errs)
}

func TestTraceSchema(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 3}))
	_, port, err := net.SplitHostPort(server.LocalAddr().String())
	require.NoError(t, err)
	_, out, errs := command("trace", "--json", "--all", "--port", port, "--peer", server.LocalAddr().String(), "--count", "3", "--for", "60s")
	assert.Len(t, valid(t, "trace", out), 3, errs)
}
