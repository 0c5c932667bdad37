package plan

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/platform"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	code, out, errs := command("plan", "--path", "aws-nlb-tcp,aws-nat-gateway")
	assert.Equal(t, exit.OK, code, errs)
	assert.Empty(t, errs)
	for _, want := range []string{
		"idle=60s,interval=6s,count=3,user-timeout=79s\n",
		"survives: refreshed after 78.5s at the latest, with 2 probes lost; aws-nlb-tcp forgets it after 350s\n",
		"probe 1, 60s to 65.3s  |....",
		"X aws-nlb-tcp forgets\n",
		"margin 271.5s beyond the worst case; 60.0 probes an hour",
		"  idle         79s to 85.7s after the last segment received\n",
		"  late write   79s to 170.3s after the death of the peer\n",
		"  connect      131s to 147.5s after the first SYN: net.ipv4.tcp_syn_retries=6 decides, the kernel's default",
	} {
		assert.Contains(t, out, want)
	}
}

func TestPlanFlagsReachTheRequest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--path", "aws-nlb-tcp", "--idle-timeout", "aws-nlb-tcp=1000s"}, exit.OK, "forgets it after 1000s"},
		{[]string{"--path", "aws-nlb-tcp=1000"}, exit.OK, "forgets it after 1000s"},
		{[]string{"--path", "aws-nlb-tcp=1000", "--idle-timeout", "aws-nlb-tcp=1000s"}, exit.OK, "forgets it after 1000s"},
		{[]string{"--path", "box:15m"}, exit.OK, "survives: refreshed after"},
		{[]string{"--path", "proxy:15m"}, exit.Problems, "needs a heartbeat: proxy:15m does not count"},
		{[]string{"--path", "server:8h"}, exit.Problems, "needs a heartbeat: server:8h does not count"},
		{[]string{"--path", "aws-vpc-endpoint"}, exit.Unknown, "survives if: a probe refreshes aws-vpc-endpoint (inferred); then it is refreshed after"},
		{[]string{"--path", "aws-vpc-endpoint", "--assume-refresh"}, exit.OK, "aws-vpc-endpoint: whether a probe refreshes it: yes (inferred)"},
		{[]string{"--path", "aws-nlb-tcp,aws-alb,box:1h"}, exit.Problems, "  client - aws-alb: this plan\n  aws-alb - server: to be set at the server: keepalive plan --path aws-nlb-tcp,aws-alb,box:1h --server\n"},
		{[]string{"--path", "aws-nlb-tcp,aws-alb,box:1h", "--server"}, exit.Problems, "  client - aws-alb: to be set at the client: keepalive plan --path aws-nlb-tcp,aws-alb,box:1h\n"},
		{[]string{"--path", "aws-alb,aws-nlb-tcp=600s,haproxy"}, exit.Problems, "  aws-alb - haproxy: to be set at haproxy: keepalive plan --path aws-alb,aws-nlb-tcp=600s --server --as haproxy; haproxy itself may end it, after a time that is not known\n"},
		{[]string{"--path", "aws-alb,box:1h,aws-nlb-tls"}, exit.Problems, "  aws-alb - aws-nlb-tls: across box:1h; what aws-alb and aws-nlb-tls do by themselves decides\n"},
		{[]string{"--path", "docker-desktop,box:30s"}, exit.Problems, "  docker-desktop - server: to be set at the server: keepalive plan --path docker-desktop,box:30s --server\n"},
		{[]string{"--path", "haproxy,box:1h", "--lost-probes", "3"}, exit.Problems, "keepalive plan --path haproxy,box:1h --server --as haproxy, with the other flags of this one\n"},
		{[]string{"--path", "linux-conntrack", "--half-closed"}, exit.OK, "linux-conntrack  5d, half-closed 60s  probes refresh it: yes"},
		{[]string{"--path", "box:300000"}, exit.OK, "  - box:300000 is 3d11h20m: was 300s meant?\n"},
		{[]string{"--path", "linux-conntrack=30s", "--half-closed"}, exit.OK, "linux-conntrack forgets it after 30s"},
		{[]string{"--path", "haproxy,box:1h"}, exit.Problems, "  haproxy - server: to be set at haproxy or the server: keepalive plan --path haproxy,box:1h --server --as haproxy\n"},
		{[]string{"--path", "aws-nlb-tcp", "--longest"}, exit.OK, "idle=262s,interval=27s,count=3,user-timeout=350s"},
		{[]string{"--path", "box:90s/80s", "--half-closed"}, exit.OK, "idle=57s"},
		{[]string{"--path", "aws-nlb-tcp", "--no-user-timeout"}, exit.OK, "net.ipv4.tcp_retries2=8 up to 219s"},
		{[]string{"--path", "box:60s", "--longest", "--lost-probes", "0"}, exit.OK, "idle=54s,interval=6s,count=1"},
		{[]string{"--path", "box:1d"}, exit.OK, "X box:1d forgets"},
		{[]string{"--path", "box:60s", "--longest", "--hz", "250"}, exit.OK, "idle=47s"},
		{[]string{"--path", "box:60s", "--margin", "20s"}, exit.OK, "idle=30s"},
		{[]string{"--path", "box:60s", "--longest", "--rtt", "2s"}, exit.OK, "idle=42s"},
		{[]string{"--path", "box:60s", "--no-user-timeout"}, exit.OK, "user-timeout=off"},
		{[]string{"--path", "box:350s", "--detect", "60"}, exit.OK, "what no setting of a socket can notice within 60s"},
		{[]string{"--detect", "60s", "--from-failure"}, exit.Unknown, "idle=20s,interval=2s"},
		{[]string{"--path", "AWS-NLB-TCP"}, exit.OK, "idle=60s"},
		{[]string{"--path", "aws-alb"}, exit.Problems, "needs a heartbeat: aws-alb does not count"},
		{[]string{"--path", "aws-alb"}, exit.Problems, "send something at least every 58s"},
		{[]string{"--path", "haproxy"}, exit.Problems, "--idle-timeout haproxy=60s tells how often"},
		{[]string{"--path", "aws-nlb-tcp,linkerd"}, exit.Unknown, "unknown: the timeout of linkerd is not known"},
		{[]string{"--path", "aws-nlb-tcp,aws-alb-client-keepalive"}, exit.OK, "ends every connection at the age of 3600s"},
	} {
		code, out, errs := command(append([]string{"plan"}, tt.args...)...)
		assert.Equal(t, tt.code, code, "%s %s", tt.args, errs)
		assert.Contains(t, out, tt.want, "%s", tt.args)
	}
}

func TestPlanWrongUse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "--path is missing"},
		{[]string{"--path", "aws nlb"}, "did you mean aws-nlb-tcp, aws-nlb-tls"},
		{[]string{"--path", "aws-nlb-tls=600s"}, "the idle timeout of aws-nlb-tls is fixed at 350s (https://"},
		{[]string{"--path", "aws-nat-gateway", "--idle-timeout", "aws-nat-gateway=900s"}, "the idle timeout of aws-nat-gateway is fixed at 350s (https://"},
		{[]string{"--path", "aws-nlb"}, `no profile "aws-nlb": did you mean aws-nlb-tcp`},
		{[]string{"--path", "aws-nlb-tcp", "--idle-timeout", "aws-nlb-tcp"}, "want ID=TIME"},
		{[]string{"--path", "aws-nlb-tcp", "--idle-timeout", "aws-nlb-tcp=10"}, "idle timeout of aws-nlb-tcp is 60s to 6000s"},
		{[]string{"--path", "aws-nlb-tcp", "--idle-timeout", "azure-lb=300"}, "--path does not have azure-lb"},
		{[]string{"--path", "aws-nlb-tcp=100", "--idle-timeout", "aws-nlb-tcp=200"}, "is given as 100s and as 200s"},
		{[]string{"--path", "aws-nlb-tcp", "--idle-timeout", "aws-nlb-tcp=100", "--idle-timeout", "aws-nlb-tcp=200"}, "is given as 100s and as 200s"},
		{[]string{"--path", "office-firewall=15m"}, "a middlebox of your own is box:TIME"},
		{[]string{"--path", "box:5m", "--idle-timeout", "box:5m=10m"}, "the time of a middlebox of your own is a part of it"},
		{[]string{"--path", "firewall:15m"}, "one of your own is box:TIME"},
		{[]string{"--path", "box:0"}, "must be positive"},
		{[]string{"--path", "box:-5s"}, "must be positive"},
		{[]string{"--path", "box:9999999999999"}, "is more than a duration can hold"},
		{[]string{"--path", "box:999999999999h"}, "is more than a duration can hold"},
		{[]string{"--path", "box:abc"}, "is not a duration such as 90s"},
		{[]string{"--path", "=5"}, `no profile ""`},
		{[]string{"--path", "box:1s"}, "timeout of box:1s=1s is impossible"},
		{[]string{"--path", "aws-nlb-tcp", "--detect", "1s"}, "--detect 1s is impossible"},
		{[]string{"--path", "aws-nlb-tcp", "--detect", "-1s"}, "--detect -1s: want a time longer than 0"},
		{[]string{"--path", "aws-nlb-tcp", "--detect", "60s", "--no-user-timeout"}, "needs a user timeout"},
		{[]string{"--path", "aws-nlb-tcp", "--from-failure"}, "--detect is missing"},
		{[]string{"--path", "aws-nlb-tcp", "--lost-probes", "-1"}, "--lost-probes -1"},
		{[]string{"--path", "aws-nlb-tcp", "--lost-probes", "127"}, "from 0 to 126"},
		{[]string{"--path", "aws-nlb-tcp", "--hz", "0"}, "--hz 0: want a whole number from 24 to 1200"},
		{[]string{"--path", "aws-nlb-tcp", "--detect", "0"}, "--detect 0: want a time longer than 0"},
		{[]string{"--path", "aws-nlb-tcp", "--rtt", "0s"}, "--rtt 0s: want a time longer than 0"},
		{[]string{"--path", "aws-nlb-tcp", "--margin", "-1s"}, "--margin -1s: 0 to"},
		{[]string{"--path", "aws-nlb-tcp", "--lost-probes", "two"}, "--lost-probes two: want a whole number from 0 to 126"},
		{[]string{"--path", "aws-abl=60s"}, `no profile "aws-abl": did you mean aws-alb`},
		{[]string{"--path", "aws-nlb-tcp", "--as", "libkeepalive"}, "did you mean env?"},
		{[]string{"--path", "aws-nlb-tcp", "--idle-timeout", "aws-nbl-tcp=100"}, "--path does not have aws-nbl-tcp"},
		{[]string{"--path", "aws-nlb-tcp", "--hz", "5"}, "--hz 5: want a whole number from 24 to 1200"},
		{[]string{"--path", "aws-nlb-tcp", "--as", "apache"}, "--as apache: want one of go, grpc"},
		{[]string{"--path", "aws-nlb-tcp", "--as", "go", "--json"}, "exclude each other"},
		{[]string{"--path", "aws-nlb-tcp", "--json", "--svg", "-"}, "--json and --svg - exclude each other: --svg FILE draws into a file"},
		{[]string{"--path", "aws-nlb-tcp", "--as", "go", "--svg=-"}, "--as and --svg - exclude each other"},
		{[]string{"aws-nlb-tcp"}, `"aws-nlb-tcp" is not understood; did you mean --path aws-nlb-tcp?`},
		{[]string{"aws-nlb-tcp", "box:5m"}, `"aws-nlb-tcp" is not understood; did you mean --path aws-nlb-tcp,box:5m?`},
		{[]string{"survive"}, `"survive" is not understood; see `},
		{[]string{"--path", "proxy:5m/60s"}, "proxy:5m/60s: only box has a time for half-closed connections"},
		{[]string{"--path", "aws-nlb-tcp", "--as", "grpc-go"}, "--as grpc-go: no such program; did you mean grpc"},
	} {
		code, out, errs := command(append([]string{"plan"}, tt.args...)...)
		assert.Equal(t, exit.Usage, code, "%s", tt.args)
		assert.Contains(t, errs, tt.want, "%s", tt.args)
		assert.Empty(t, out)
	}
}

// A path that nobody knows is neither right nor wrong.
func TestAPathThatNobodyKnows(t *testing.T) {
	t.Parallel()
	code, out, errs := command("plan", "--path", "aws-transit-gateway,linkerd")
	assert.Equal(t, exit.Unknown, code)
	assert.Empty(t, out)
	assert.Equal(t, "keepalive: the timeout of aws-transit-gateway, linkerd is unknown: give it: --path aws-transit-gateway=TIME, or measure it: keepalive discover HOST:PORT\n", errs)
	code, out, errs = command("plan", "--path", "wsl", "--json")
	assert.Equal(t, exit.Unknown, code)
	assert.Equal(t, "keepalive: the timeout of wsl is unknown: give it: --path wsl=TIME, or measure it: keepalive discover HOST:PORT\n", errs)
	var got planRecord
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.Nil(t, got.Config)
	assert.Equal(t, "unknown", got.Verdict)
	assert.Contains(t, got.Reason, "the timeout of wsl is unknown")
	assert.Len(t, got.Path, 1)
	code, _, errs = command("plan", "--path", "aws-nlb-tcp", "--half-closed")
	assert.Equal(t, exit.Unknown, code)
	assert.Equal(t, "keepalive: the timeout of half-closed connections of aws-nlb-tcp is unknown: box:TIME/TIME states both of a middlebox\n", errs)
}

// TestAPathWithoutIdleTimeout: what ends no silent connection is no wrong use, and no proof.
func TestAPathWithoutIdleTimeout(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"gcp-websocket", "azure-appservice-linux", "postgresql", "aws-alb-client-keepalive", "azure-lb,pgbouncer --server",
		"pgbouncer,azure-lb --detect 30s", "postgresql --longest", "postgresql --no-user-timeout",
	} {
		code, out, errs := command(append([]string{"plan", "--path"}, strings.Fields(line)...)...)
		assert.Equal(t, exit.Unknown, code, "%s: %s", line, errs)
		assert.Contains(t, out, "\nunknown: nothing on this leg is known to forget it: these settings only notice dead peers (", line)
		assert.Contains(t, out, "\na dead peer is noticed\n", line)
	}
	_, out, _ := command("plan", "--path", "azure-lb,pgbouncer")
	assert.Contains(t, out, "  - pgbouncer: its side to the database is pgbouncer-server\n")
	code, out, errs := command("plan", "--path", "azure-lb,pgbouncer", "--as", "postgresql")
	assert.Equal(t, exit.Unknown, code)
	assert.NotEmpty(t, out)
	assert.Contains(t, errs, "warning: unknown: its connections have 60s, 6s, 3 on the server's leg pgbouncer - server: nothing on this leg is known to forget it")
	code, _, errs = command("plan", "--path", "azure-lb,aws-nlb-tls,wsl", "--as", "postgresql")
	assert.Equal(t, exit.Unknown, code, errs)
	assert.NotRegexp(t, `\b(align|sockopt|platform|timing): `, errs)
	code, out, errs = command("plan", "--path", "azure-lb,pgbouncer", "--server", "--as", "postgresql")
	assert.Equal(t, exit.Unknown, code)
	assert.Contains(t, out, "tcp_keepalives_idle = 30\n")
	assert.Equal(t, 1, strings.Count(errs, "warning: "), "once: %s", errs)
	_, help, _ := command("plan", "--help")
	assert.Contains(t, help, "  0 survives; 1 does not, or needs a heartbeat; 5 survives if, or not known;\n  2 wrong use\n")
}

func TestPlanAs(t *testing.T) {
	t.Parallel()
	for _, name := range syntax.Names() {
		code, out, errs := command("plan", "--path", "aws-nlb-tcp", "--longest", "--as", name)
		switch name {
		case "gunicorn", "uvicorn", "contour": // which have idle times of HTTP only
			assert.Equal(t, exit.Usage, code, name)
			assert.Empty(t, out)
			assert.Contains(t, errs, "keepalive: --as "+name+": ")
			assert.Contains(t, errs, "there is nothing to write")
			continue
		case "docker", "env", "libpq": // whose syntax has no comments
			assert.Contains(t, errs, "note: ", name)
			assert.Equal(t, 1, strings.Count(out, "262"), name)
			if name != "libpq" {
				assert.Equal(t, exit.Unknown, code, errs)
				assert.Regexp(t, `(?m)^note: .*program.*\n(note: .*\n)*warning: survives if: its connections have 262s, 27s, 3: the program `, errs)
				continue
			}
		case "ingress-nginx", "pgjdbc", "connectorj", "kafka": // whose values are the system's
			assert.Equal(t, exit.Unknown, code, name)
			assert.Regexp(t, `^warning: unknown: its connections have what the system's .*\n$`, errs)
			continue
		case "sysctl", "kubernetes", "compose": // which are for programs that switch keepalive on
			assert.Equal(t, exit.Unknown, code, name)
			assert.Regexp(t, `^# .*\n(# .*\n)*# .*if its program switches\n# keepalive on`, out)
			assert.Regexp(t, `^warning: survives if: .*: the program switches keepalive on \(SO_KEEPALIVE\) .*\n$`, errs)
			continue
		case "nginx", "caddy", "traefik": // which end a connection between two requests
			assert.Equal(t, exit.OK, code, "%s: %s", name, errs)
			assert.Regexp(t, `(?m)^# (.*[^.] )?itself\b`, out)
			continue
		case "istio", "mariadb": // which end an idle connection by themselves, and cannot be told not to
			assert.Equal(t, exit.Problems, code, name)
			assert.Regexp(t, `(?m)^# (.*[^.] )?itself\b`, out)
			assert.Regexp(t, `^(warning: needs a heartbeat: .* itself ends it after .*, and probes do not put that off: only data keeps it\n)+$`, errs)
			continue
		default:
			assert.Empty(t, errs, "what one has to know is in the text")
			assert.Regexp(t, `^(#|//) `, out)
		}
		assert.Equal(t, exit.OK, code, errs)
	}
	code, out, errs := command("plan", "--path", "aws-alb", "--as", "nginx")
	assert.Equal(t, exit.Problems, code)
	assert.Contains(t, out, "so_keepalive=30s:10s:3")
	assert.Contains(t, errs, "warning: needs a heartbeat: aws-alb")
	code, out, errs = command("plan", "--path", "haproxy", "--as", "gunicorn")
	assert.Equal(t, exit.Unknown, code, "haproxy has no default")
	assert.Empty(t, out)
	assert.Contains(t, errs, "the timeout of haproxy is unknown: give it with --idle-timeout")
}

func TestPlanJSON(t *testing.T) {
	t.Parallel()
	code, out, _ := command("plan", "--path", "aws-nlb-tcp,aws-vpc-endpoint", "--detect", "60s", "--json")
	assert.Equal(t, exit.Unknown, code, "an assumption")
	var got planRecord
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&got))
	assert.Equal(t, "survives if", got.Verdict)
	assert.Equal(t, 40.0, got.Config.Idle)
	assert.Equal(t, 53.0, *got.Config.UserTimeout)
	assert.Len(t, got.Path, 2)
	assert.Equal(t, "inferred", got.Path[1].RefreshedEvidence)
	assert.Len(t, got.Detection, 5)
	assert.InDelta(t, 147.5, *got.Detection[4].Latest, 0.1, "by a kernel's defaults")
	assert.NotEmpty(t, got.Limits)
	assert.NotEmpty(t, got.Assumptions)
	assert.Nil(t, got.Heartbeat)

	_, out, _ = command("plan", "--path", "aws-alb", "--json", "--no-user-timeout")
	got = planRecord{}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.Nil(t, got.Config.UserTimeout)
	assert.Nil(t, got.Margin)
	assert.Equal(t, 58.0, *got.Heartbeat.Every)
	assert.Contains(t, out, "net.ipv4.tcp_retries2=8")
	_, out, _ = command("plan", "--path", "box:350s", "--json")
	assert.Contains(t, out, `"warnings": []`)
	assert.Contains(t, out, `"assumptions": []`)
}

func TestTimelineFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for _, args := range []align.Request{
		{Path: []align.Profile{{ID: "box", Timeout: 350e9, Refreshed: platform.Yes}}},
		{Path: []align.Profile{{ID: "box", Timeout: 432000e9, Refreshed: platform.Yes}}, LostProbes: 20},
		{Path: []align.Profile{{ID: "box", Timeout: 432000e9, Refreshed: platform.Yes}}, Detect: 10e9},
	} {
		p, err := args.Plan()
		require.NoError(t, err)
		for _, width := range []int{0, 10, 60, 80, 200} {
			var b strings.Builder
			newTimeline(args, p).text(&b, width)
			if width == 10 {
				assert.Empty(t, b.String(), "no room")
				continue
			}
			lines := strings.Split(strings.Trim(b.String(), "\n"), "\n")
			assert.LessOrEqual(t, len(lines), 12)
			for _, line := range lines[:len(lines)-1] {
				assert.LessOrEqual(t, len(line), max(width, 80), line)
			}
			for _, line := range lines[1 : len(lines)-1] {
				assert.Contains(t, line, "=")
				assert.True(t, strings.HasSuffix(line, "X"), line)
			}
		}
	}
}

func TestPlanSVG(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"aws-nlb-tcp", "aws-alb", "box:350s", "linux-conntrack"} {
		_, out, errs := command("plan", "--path", path, "--detect", "60s", "--svg", "-")
		d := xml.NewDecoder(strings.NewReader(out))
		bars := 0
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err, "%s%s", out, errs)
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
				bars++
			}
		}
		assert.Equal(t, 1+3, bars, "background and probes")
	}
	file := filepath.Join(t.TempDir(), "plan.svg")
	code, out, _ := command("plan", "--path", "aws-nlb-tcp", "--svg", file)
	assert.Equal(t, exit.OK, code)
	assert.Contains(t, out, "survives", "the plan is printed as well")
	picture, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(picture), "aws-nlb-tcp forgets after 350s")

	code, _, errs := command("plan", "--path", "aws-nlb-tcp", "--svg", filepath.Join(file, "x"))
	assert.Equal(t, exit.Problems, code)
	assert.Contains(t, errs, "not a directory")
}

func TestPathCompletion(t *testing.T) {
	t.Parallel()
	_, out, _ := command("__complete", "plan", "--path", "aws-nlb-tcp,azure-l")
	assert.Contains(t, out, "aws-nlb-tcp,azure-lb\n")
	_, out, _ = command("__complete", "plan", "--path", "box:1s", "--as", "po")
	assert.Contains(t, out, "postgresql\n")
}

// What is wrong with a request is said of the flag that the user typed.
func TestPlanNamesTheFlag(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"--from-failure":                "--from-failure counts --detect from the death of the peer: --detect is missing",
		"--detect 60 --no-user-timeout": "--detect 60s: needs a user timeout",
		"--margin=-1s":                  "--margin -1s: 0 to 3153600000s",
		"--detect 1s":                   "--detect 1s is impossible: ",
	} {
		code, out, errs := command(append([]string{"plan", "--path", "aws-nlb-tcp"}, strings.Fields(line)...)...)
		assert.Equal(t, exit.Usage, code, line)
		assert.Empty(t, out, line)
		assert.Contains(t, errs, "keepalive: "+want, line)
	}
}
