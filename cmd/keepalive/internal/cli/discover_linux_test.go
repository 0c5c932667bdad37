package cli

import (
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
)

// closing is an echo server that closes connections that are silent for so long.
func closing(t *testing.T, after time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	socktest.Serve(t, l, socktest.EchoUntilIdle(after))
	return l.Addr().String()
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	address := closing(t, 2*time.Second)
	code, out, errs := command("discover", address, "--mode", "echo", "--max", "20s", "--connections", "16")
	assert.Equal(t, exitOK, code, errs)
	assert.Regexp(t, `^after 2(\.\d+)?s: closed \(FIN\) while idle\n16 connections, |^after 2`, out)
	assert.Contains(t, out, "data puts that off, probes do not:\n  send something at least every ")
	assert.NotContains(t, out, "keepalive plan")
	assert.Regexp(t, `round 1, .*: alive after .*, at most \S+ left\n`, errs)

	code, out, errs = command("discover", address, "--max", "20s", "--json")
	assert.Equal(t, exitOK, code, errs)
	var r discoveryRecord
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	assert.InDelta(t, 2, *r.Dead, 0.3)
	assert.Equal(t, "closed (FIN) while idle", *r.End)
	assert.Nil(t, r.MaskedBy)

	// Alive for all that was tried.
	code, out, _ = command("discover", address, "--max", "1s", "--min", "500ms", "--connections", "4")
	assert.Equal(t, exitOK, code)
	assert.Regexp(t, `not below 1(\.\d+)?s, the longest that was tried\n`, out)
	assert.NotContains(t, out, "plan")
}

// TestDiscoveryOffersThePlan that keepalive plan would print.
func TestDiscoveryOffersThePlan(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	printDiscovery(&b, &discover.Result{Alive: 348 * time.Second, Dead: 352 * time.Second, End: discover.NoAnswer})
	_, out, _ := command("plan", "--path", "measured=348s")
	settings, _, _ := strings.Cut(out, "\n")
	assert.Equal(t, "between 348s and 352s: forgotten: silent drop\n0 connections, 0.0s\n\n"+
		"keepalive plan --path measured=348s\n"+settings+"\n", b.String())
}

func TestDiscoverWrongUse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitUsage, "want one HOST:PORT"},
		{[]string{"a:1", "b:2"}, exitUsage, "want one HOST:PORT"},
		{[]string{"example.com"}, exitUsage, "missing port"},
		{[]string{"127.0.0.1:1", "--mode", "x"}, exitUsage, `--mode "x": want plain, echo or http`},
		{[]string{"127.0.0.1:1", "--connections", "2"}, exitUsage, "want 4 to 1000"},
		{[]string{"127.0.0.1:1", "--connections", "0"}, exitUsage, "have to be positive"},
		{[]string{"127.0.0.1:1", "--min", "2h", "--max", "1h"}, exitUsage, "want 0 < Min <= Max"},
		{[]string{"127.0.0.1:1", "--max", "-1s"}, exitUsage, "have to be positive"},
		{[]string{"127.0.0.1:1", "--guess", "-1s"}, exitUsage, "Guess -1s"},
		{[]string{"127.0.0.1:1", "--insecure"}, exitUsage, "are for --tls"},
		{[]string{"127.0.0.1:1"}, exitProblems, "connection refused"},
	} {
		code, out, errs := command(append([]string{"discover"}, tt.args...)...)
		assert.Equal(t, tt.code, code, "%s", tt.args)
		assert.Contains(t, errs, tt.want, "%s", tt.args)
		assert.Empty(t, out)
	}
}
