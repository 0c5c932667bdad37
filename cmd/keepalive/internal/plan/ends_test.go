package plan

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

// What most public reports are about: a server that closes before its balancer does.
func TestPlanTellsBothEnds(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"aws-alb": {
			"the client closes them after 58s or sooner (aws-alb: 60s):",
			"the server keeps them for 65s or longer (aws-alb: 60s):",
		},
		"aws-alb,nodejs=5s": {
			"the server keeps them for 65s or longer (aws-alb: 60s):",
			"  - nodejs closes them after 5s, aws-alb in front of it after 60s:\n    it may send a request into that (502); let nodejs keep them for 65s\n",
		},
		"haproxy": {
			"the client closes them sooner than haproxy (--idle-timeout haproxy=60s):",
			"the server keeps them for longer than haproxy (--idle-timeout haproxy=60s):",
		},
		"aws-nlb-tcp,gcp-alb-backend": {"the server keeps them for 620s or longer (gcp-alb-backend: 600s):"},
	} {
		_, out, errs := command("plan", "--path", path)
		for _, w := range append(want, "idle HTTP connections: whoever sends the requests has to close first\n") {
			assert.Contains(t, out, w, "%s %s", path, errs)
		}
		_, section, _ := strings.Cut(out, "idle HTTP connections")
		section, _, _ = strings.Cut(section, "\n\n")
		for line := range strings.Lines(section) {
			assert.LessOrEqual(t, len(strings.TrimSuffix(line, "\n")), 80, line)
		}
	}
	for _, path := range []string{"aws-nlb-tcp", "linux-conntrack,azure-lb"} {
		_, out, errs := command("plan", "--path", path)
		assert.Contains(t, out, "a dead peer is noticed", errs)
		assert.NotContains(t, out, "idle HTTP connections", path)
	}
}

// TestPlanForTheServersEnd: it is told first what decides, and offered nothing that only a
// client has.
func TestPlanForTheServersEnd(t *testing.T) {
	t.Parallel()
	code, out, errs := command("plan", "--path", "aws-alb,nodejs", "--server")
	assert.Equal(t, exit.Problems, code, errs)
	first, then, found := strings.Cut(out, "\nto keep a silent connection for longer\n")
	require.True(t, found, out)
	assert.Contains(t, first, "\nidle HTTP connections: whoever sends the requests has to close first\n")
	assert.Contains(t, first, "let nodejs keep them for 65s\n")
	assert.NotContains(t, out, "Transport.IdleConnTimeout")
	assert.True(t, strings.HasPrefix(then, "  send something at least every 58s:\n  - data on a stream: "), then)
	assert.NotRegexp(t, `IdleConnTimeout|sql\.DB|pool|HTTP request:|idle HTTP`, then)
	_, out, _ = command("plan", "--path", "aws-alb,nodejs", "--server", "--json")
	assert.Contains(t, out, `"idle_conn_timeout_seconds": null`)
	_, out, _ = command("plan", "--path", "nodejs", "--server")
	assert.Contains(t, out, "  the client closes them after 3s or sooner (nodejs: 5s):\n", "there is no other end")
	_, out, _ = command("plan", "--path", "aws-alb,nodejs")
	assert.Less(t, strings.Index(out, "idle HTTP connections"), strings.Index(out, "send something at least"), "HTTP comes first")
	assert.Equal(t, 1, strings.Count(out, "idle HTTP connections"))
}

func TestPlanJSONTellsBothEnds(t *testing.T) {
	t.Parallel()
	_, out, _ := command("plan", "--json", "--path", "aws-alb,nodejs=5s")
	var r planRecord
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.NotNil(t, r.HTTP)
	assert.Equal(t, 58.0, *r.HTTP.Client)
	assert.Equal(t, 65.0, *r.HTTP.Server)
	assert.Equal(t, []earlyRecord{{"nodejs", "aws-alb", new(65.0)}}, r.HTTP.Early)
	_, out, _ = command("plan", "--json", "--path", "aws-nlb-tcp")
	assert.Contains(t, out, `"http": null`)
}
