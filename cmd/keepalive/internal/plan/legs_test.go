package plan

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

// otherEnd returns what a plan prints of the connection at the other end of its path.
func otherEnd(t *testing.T, out string, server bool) string {
	t.Helper()
	_, section, found := strings.Cut(out, "TCP connections of this path\n")
	require.True(t, found, out)
	section, _, _ = strings.Cut(section, "\n\n")
	lines := strings.Split(strings.TrimSuffix(section, "\n"), "\n")
	if server { // the plan is for the server's end
		return lines[0]
	}
	return lines[len(lines)-1]
}

// TestPlanOfTheOtherEnd: who follows what a plan says about the other end of its path gets a
// plan for everything that is on that end's connection, the proxies at its ends too; where a
// plan says that nothing forgets that connection, nothing is known there that does.
func TestPlanOfTheOtherEnd(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	elements := []string{"box:10m", "box:70s", "box:1h", "proxy:5m", "server:8h", "aws-nlb-tls", "aws-nlb-tcp"}
	for _, p := range new(align.Catalog).Profiles() {
		elements = append(elements, p.ID)
	}
	command := regexp.MustCompile(`keepalive plan --path (\S+?)( --server)?( --as \S+)?(, with the other flags of this one)?(;|$)`)
	suggested, survived := 0, 0
	for range 1500 {
		var path []string
		for range 1 + random.IntN(4) {
			path = append(path, elements[random.IntN(len(elements))])
		}
		profiles, err := align.Path(path...)
		require.NoError(t, err)
		r := align.Request{Path: profiles, Server: random.IntN(2) == 0, LostProbes: 2, Longest: true}
		var b strings.Builder
		printLegs(&b, r)
		if b.Len() == 0 {
			continue
		}
		text := otherEnd(t, b.String(), r.Server)
		other := r
		other.Server = !r.Server
		want, wantErr := other.Plan()
		m := command.FindStringSubmatch(text)
		switch {
		case m != nil:
		case strings.Contains(text, ": add --server"), strings.Contains(text, ": leave --server out"):
			m = []string{"", strings.Join(path, ","), map[bool]string{true: " --server"}[strings.Contains(text, ": add")]}
		default:
			assert.True(t, wantErr != nil || want.Tightest.ID == "" && want.Heartbeat == nil, "%s: %s, but: %v", path, text, want)
			continue
		}
		suggested++
		profiles, err = align.Path(strings.Split(m[1], ",")...)
		require.NoError(t, err, text)
		follow := align.Request{Path: profiles, Server: m[2] != "", LostProbes: 2, Longest: true}
		plan, err := follow.Plan()
		if err != nil {
			continue // whose user learns of it
		}
		a, err := other.Assess(plan.Settings)
		require.NoError(t, err, text)
		assert.Equal(t, plan.Verdict, a.Verdict, "%s: %s: %s", path, text, a.Reason)
		if plan.Verdict == align.Survives {
			survived++
		}
	}
	assert.Greater(t, suggested, 200)
	assert.Greater(t, survived, 20)
}

func TestPlanSaysWhatProxiesEndThemselves(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"aws-nlb-tls":                            "  aws-nlb-tls - server: no device between them, but aws-nlb-tls itself ends it after 350s: add --server\n",
		"aws-nlb-tls --server":                   "  client - aws-nlb-tls: no device between them, but aws-nlb-tls itself ends it after 350s: leave --server out\n",
		"aws-nlb-tls,box:10m":                    "  aws-nlb-tls - server: to be set at the server: keepalive plan --path aws-nlb-tls,box:10m --server\n",
		"aws-nlb-tls,box:10m --longest":          "keepalive plan --path aws-nlb-tls,box:10m --server, with the other flags of this one\n",
		"box:10m,aws-nlb-tls --server":           "  client - aws-nlb-tls: to be set at the client: keepalive plan --path box:10m,aws-nlb-tls\n",
		"aws-alb,nodejs":                         "  aws-alb - server: no device between them, but aws-alb itself ends it after 60s, and nodejs ends it after 5s: add --server\n",
		"haproxy":                                "  haproxy - server: no device between them, but haproxy itself may end it, after a time that is not known: add --server\n",
		"aws-nlb-tls,haproxy-debian":             "  aws-nlb-tls - haproxy-debian: no device between them, but aws-nlb-tls itself ends it after 350s, and haproxy-debian ends it after 50s\n",
		"haproxy-debian,box:1h,aws-nlb-tls":      "  haproxy-debian - aws-nlb-tls: to be set at haproxy-debian: keepalive plan --path box:1h,aws-nlb-tls --as haproxy; haproxy-debian itself ends it after 50s\n",
		"aws-alb=90s,box:1h,nginx-stream":        "  aws-alb - nginx-stream: to be set at nginx-stream: keepalive plan --path aws-alb=90s,box:1h --server --as nginx; nginx-stream itself ends it after 600s\n",
		"nginx-stream,box:1h":                    "  nginx-stream - server: to be set at nginx-stream or the server: keepalive plan --path nginx-stream,box:1h --server\n",
		"aws-alb,oci-lb-client,box:1h":           "  oci-lb-client - server: to be set at the server: keepalive plan --path aws-alb,oci-lb-client,box:1h --server\n",
		"box:10m,oci-lb-client":                  "  oci-lb-client - server: no device between them; what oci-lb-client itself does to it is not known\n",
		"aws-alb,gcp-alb-backend=600s,box:1h":    "keepalive plan --path aws-alb,gcp-alb-backend,box:1h --server\n",
		"aws-nlb-tls,box:10m,pgbouncer-server":   "  pgbouncer-server - server: no device between them, but pgbouncer-server itself ends it after 600s: add --server\n",
		"aws-alb,box:10m,aws-alb,box:1h,aws-alb": "  aws-alb - aws-alb: across box:10m; what aws-alb and aws-alb do by themselves decides\n",
	} {
		code, out, errs := command(append([]string{"plan", "--path"}, strings.Fields(line)...)...)
		assert.NotEqual(t, exit.Usage, code, "%s: %s", line, errs)
		assert.Contains(t, out, want, "%s", line)
	}
}

// TestTheSuggestedPlanIsPrintable: a suggested command line is one that works.
func TestTheSuggestedPlanIsPrintable(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"haproxy-debian,box:1h --server --as haproxy", "box:1h,aws-nlb-tls --as haproxy", "aws-alb=90s,box:1h --server --as nginx"} {
		code, out, errs := command(append([]string{"plan", "--path"}, strings.Fields(line)...)...)
		assert.NotEqual(t, exit.Usage, code, fmt.Sprint(line, errs))
		assert.NotEmpty(t, out, line)
	}
}
