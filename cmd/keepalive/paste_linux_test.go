package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// What check says is to be changed can be pasted.
func TestChangesCanBePasted(t *testing.T) {
	clitest.InTurn(t)
	for _, cfg := range []sockopt.Config{
		{Disabled: true},
		{},
		{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9},
		{Idle: 300 * time.Second, Interval: 75 * time.Second, Count: 9, UserTimeout: 20 * time.Second},
		{Disabled: true, Idle: 262 * time.Second, Interval: 27 * time.Second, Count: 3, UserTimeout: 350 * time.Second},
	} {
		for _, more := range [][]string{{"--detect", "60s"}, {"--detect", "200s"}, nil} {
			args := append([]string{"check", "--json", "--path", "aws-nlb-tcp"}, clitest.Ours(t, cfg)...)
			_, out, _ := command(append(args, more...)...)
			var r struct {
				Bad    bool
				Change string
			}
			require.NoError(t, json.NewDecoder(strings.NewReader(out)).Decode(&r))
			if !r.Bad {
				continue
			}
			require.NotEmpty(t, r.Change)
			_, err := sockopt.Parse(r.Change)
			assert.NoError(t, err, r.Change)
		}
	}
	code, out, errs := command("demo", "--config", "on,idle=262s,interval=27s,count=3,user-timeout=350s")
	assert.Equal(t, exit.OK, code, out+errs)
}

var printedDuration = regexp.MustCompile(`(?:^|[\s=(,|-])((?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w))+)(?:$|[\s),*;])`)

// Every duration that a command prints can be typed.
func TestWhatIsPrintedCanBeTyped(t *testing.T) {
	clitest.InTurn(t)
	flags := clitest.Ours(t, sockopt.Config{Idle: 36 * time.Second, Interval: 90 * time.Second, Count: 3, UserTimeout: 1500 * time.Millisecond})
	lines := []string{
		"profiles", "plan --path box:1d", "plan --path box:100d --lost-probes 0", "plan --path aws-alb", "plan --path azure-lb --detect 60.5s",
		"discover --help", "demo --config idle=36s,user-timeout=1500ms", "plan --path box:90m --margin 0.25s",
		"ls " + strings.Join(flags, " "), "check --path aws-nlb-tcp " + strings.Join(flags, " "),
		"watch --rounds 1 " + strings.Join(flags, " "),
	}
	for _, p := range new(align.Catalog).Profiles() {
		if p.Timeout > 0 && p.LimitsSilence() {
			line := "plan --path " + p.ID
			if p.Side == "server" {
				line += " --server"
			}
			lines = append(lines, line)
		}
	}
	seen := map[string]bool{}
	for _, line := range lines {
		_, out, _ := command(strings.Fields(line)...)
		found := printedDuration.FindAllStringSubmatch(out, -1)
		assert.NotEmpty(t, found, line)
		for _, match := range found {
			seen[match[1]] = true
		}
	}
	for text := range seen {
		d, err := duration.Parse(text)
		if !assert.NoError(t, err) || d < time.Minute {
			continue
		}
		code, _, errs := command("plan", "--path", "box:"+text)
		assert.Equal(t, exit.OK, code, "%s: %s", text, errs)
	}
	for _, text := range []string{"1d", "350s", "1200s"} {
		assert.Contains(t, seen, text, "looked for rightly")
	}
}
