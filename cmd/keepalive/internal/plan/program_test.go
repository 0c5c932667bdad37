package plan

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// number returns what a pattern finds in the text of a program.
func number(t *testing.T, text, pattern string) int {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.Len(t, m, 2, "%s in %s", pattern, text)
	n, err := strconv.Atoi(m[1])
	require.NoError(t, err)
	return n
}

// effective reads the text of a program as the program does, by its documentation and not
// by the code that wrote it. It is nil if the system decides.
func effective(t *testing.T, name, text string) []sockopt.Config {
	t.Helper()
	second := func(n int) time.Duration { return time.Duration(n) * time.Second }
	three := func(idle, interval, count string) []sockopt.Config {
		return []sockopt.Config{{Idle: second(number(t, text, idle)), Interval: second(number(t, text, interval)), Count: number(t, text, count), UserTimeout: sockopt.NoUserTimeout}}
	}
	with := func(cfg []sockopt.Config, ms string) []sockopt.Config {
		cfg[0].UserTimeout = time.Duration(number(t, text, ms)) * time.Millisecond
		return cfg
	}
	of := func(idle, interval, count int) sockopt.Config {
		return sockopt.Config{Idle: second(idle), Interval: second(interval), Count: count, UserTimeout: sockopt.NoUserTimeout}
	}
	switch name {
	case "go", "grpc", "pgx", "go-mysql":
		cfg := three(`Idle: +(\d+) \* time.Second`, `Interval: +(\d+) \* time`, `Count: +(\d+),`)
		cfg[0].UserTimeout = second(number(t, text, `UserTimeout: (\d+) \* time.Second`))
		return cfg
	case "node", "mysql2":
		return []sockopt.Config{of(number(t, text, `(?:keepAliveMsecs|keepAliveInitialDelay): (\d+)000,`), 1, 10)}
	case "java":
		return three(`TCP_KEEPIDLE, (\d+)`, `TCP_KEEPINTERVAL, (\d+)`, `TCP_KEEPCOUNT, (\d+)`)
	case "python":
		return with(three(`TCP_KEEPIDLE, (\d+)`, `TCP_KEEPINTVL, (\d+)`, `TCP_KEEPCNT, (\d+)`), `TCP_USER_TIMEOUT, (\d+)`)
	case "rust":
		return three(`with_time\(Duration::from_secs\((\d+)`, `with_interval\(Duration::from_secs\((\d+)`, `with_retries\((\d+)`)
	case "nginx":
		return three(`so_keepalive=(\d+)s`, `so_keepalive=\d+s:(\d+)s`, `so_keepalive=\d+s:\d+s:(\d+)`)
	case "haproxy":
		return with(three(`clitcpka-idle (\d+)s`, `clitcpka-intvl (\d+)s`, `clitcpka-cnt (\d+)`), `tcp-ut (\d+)ms`)
	case "envoy", "istio":
		return with(three(`TCP_KEEPIDLE, level: 6, name: 4, int_value: (\d+)`, `TCP_KEEPINTVL, level: 6, name: 5, int_value: (\d+)`, `TCP_KEEPCNT, level: 6, name: 6, int_value: (\d+)`), `TCP_USER_TIMEOUT, level: 6, name: 18, int_value: (\d+)`)
	case "traefik":
		return []sockopt.Config{of(number(t, text, `dialKeepAlive: (\d+)s`), 15, 9), of(180, 15, 9), of(30, 15, 9)}
	case "caddy":
		return three(`keepalive_idle (\d+)s`, `keepalive_interval (\d+)s`, `keepalive_count (\d+)`)
	case "postgresql":
		return with(three(`_idle = (\d+)`, `_interval = (\d+)`, `_count = (\d+)`), `tcp_user_timeout = (\d+)`)
	case "libpq":
		return with(three(`_idle=(\d+)`, `_interval=(\d+)`, `_count=(\d+)`), `tcp_user_timeout=(\d+)`)
	case "psycopg":
		return with(three(`_idle=(\d+)`, `_interval=(\d+)`, `_count=(\d+)`), `tcp_user_timeout=(\d+)`)
	case "mariadb":
		return three(`_time = (\d+)`, `_interval = (\d+)`, `_probes = (\d+)`)
	case "redis":
		n := number(t, text, `tcp-keepalive (\d+)\n`)
		return []sockopt.Config{of(n, max(1, n/3), 3)}
	case "sysctl", "docker", "compose", "kubernetes":
		between := `(?: = |=|: |\n +value: ")`
		return three(`_time`+between+`(\d+)`, `_intvl`+between+`(\d+)`, `_probes`+between+`(\d+)`)
	case "systemd":
		return three(`TimeSec=(\d+)`, `IntervalSec=(\d+)`, `Probes=(\d+)`)
	case "env":
		return three(`KEEPIDLE=(\d+)`, `KEEPINTVL=(\d+)`, `KEEPCNT=(\d+)`)
	case "pgjdbc", "connectorj", "kafka", "ingress-nginx":
		return nil
	case "gunicorn", "uvicorn":
		return []sockopt.Config{{Disabled: true}}
	case "contour":
		return []sockopt.Config{of(45, 5, 9)}
	}
	t.Fatalf("nobody says what the text of %s means", name)
	return nil
}

// TestExitCodeOfAs is 0 only if what the program will really have survives the path.
func TestExitCodeOfAs(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"--path box:10s", "--path box:30s", "--path box:100s", "--path box:5m", "--path box:3h",
		"--path box:20s --lost-probes 12", "--path box:2m --lost-probes 5", "--path box:6s --lost-probes 0",
		"--path aws-nlb-tcp --longest", "--path aws-nlb-tls", "--path aws-alb", "--path aws-vpc-endpoint",
		"--path box:5m,aws-alb", "--path proxy:5m,box:1m --server", "--path linkerd,box:5m",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"plan"}, strings.Fields(line)...)
			plain, _, _ := command(args...) // which is no better with a program
			for _, name := range syntax.Names() {
				code, text, errs := command(append(args, "--as", name)...)
				if text == "" {
					assert.NotEqual(t, exit.OK, code, name)
					continue
				}
				want := plain
				if name == "ssh" || name == "sshd" || name == "openvpn" {
					want = exit.OK // its own messages count, where probes may not
				}
				for _, verdict := range verdictsOf(t, args, name, text) {
					switch {
					case verdict == align.Loses, verdict == align.NeedsHeartbeat, want == exit.Problems:
						want = exit.Problems
					case verdict == align.Unknown, verdict == align.SurvivesIf:
						want = exit.Unknown
					}
				}
				assert.Equal(t, want, code, "%s: %s\n%s", name, errs, text)
				if code != exit.OK {
					assert.Regexp(t, `(?m)^(warning|keepalive): `, errs, "%s has no reason", name)
				}
			}
		})
	}
}

func verdictsOf(t *testing.T, args []string, name, text string) (verdicts []align.Verdict) {
	t.Helper()
	request := requestOf(t, args)
	interval, silence := 0, 0 // of messages of its own, which ssh and sshd count
	switch name {
	case "ssh", "sshd":
		interval = number(t, text, `AliveInterval (\d+)`)
		silence = interval * (number(t, text, `AliveCountMax (\d+)`) + 1)
	case "openvpn":
		interval, silence = number(t, text, `keepalive (\d+) \d+`), number(t, text, `keepalive \d+ (\d+)`)
	}
	if slices.ContainsFunc(request.Path, func(p align.Profile) bool { return p.Protocol == "HTTP" }) && interval > 0 {
		return []align.Verdict{align.Unknown} // what they send is no request: it does not pass
	}
	if interval > 0 {
		lost := max(0, cmp.Or(request.LostProbes, 2))
		latest := float64(interval) + 1.1 + 0.3*(math.Pow(2, float64(lost))-1) // TCP sends it again after 300 ms, 600 ms ...
		if latest < float64(silence) && latest < request.Path[0].Timeout.Seconds() {
			return []align.Verdict{align.Survives}
		}
		return []align.Verdict{align.Loses}
	}
	configs := effective(t, name, text)
	if configs == nil {
		a, err := request.Assess(platform.Settings{Known: 1<<platform.KeepAlive | 1<<platform.UserTimeout, Enabled: true})
		require.NoError(t, err)
		return []align.Verdict{a.Verdict}
	}
	for _, cfg := range configs {
		a, err := request.AssessConfig(cfg, platform.Settings{})
		require.NoError(t, err)
		verdicts = append(verdicts, a.Verdict)
	}
	switch name {
	case "nginx":
		if strings.Contains(text, "proxy_pass") { // to upstreams, without keepalive
			verdicts = append(verdicts, align.Loses)
		}
	case "istio", "mariadb": // each ends an idle connection by itself, whatever its text says
		verdicts = append(verdicts, align.NeedsHeartbeat)
	case "envoy":
		if regexp.MustCompile(`idle_timeout: [1-9]`).MatchString(text) {
			verdicts = append(verdicts, align.NeedsHeartbeat)
		}
	case "sysctl", "docker", "compose", "kubernetes", "env": // for programs of one kind only
		verdicts = append(verdicts, align.SurvivesIf)
	}
	return verdicts
}

// requestOf parses the flags as the command does.
func requestOf(t *testing.T, args []string) align.Request {
	t.Helper()
	var o options
	cmd := &cobra.Command{Use: "plan", RunE: func(*cobra.Command, []string) error { return o.Parse() }}
	o.AddFlags(cmd)
	cmd.Flags().BoolVar(&o.Request.Longest, "longest", false, "")
	cmd.SetArgs(args[1:])
	require.NoError(t, cmd.Execute())
	return o.Request
}

// TestAsSaysWhatIsLost names the connections, what they have, and why they are lost.
func TestAsSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line string
		code int
		want string
	}{
		{"--path box:10s --as traefik", exit.Problems, "warning: loses: connections to TCP servers have 6s, 15s, 9: the first probe comes up to "},
		{"--path box:30s --as traefik", exit.Problems, "warning: loses: connections to TCP servers have 20s, 15s, 9: with 1 probe lost "},
		{"--path box:2m --as traefik", exit.Problems, "warning: loses: connections of clients have 180s, 15s, 9: the first probe comes up to "},
		{"--path box:20s --lost-probes 12 --as node", exit.Problems, "warning: loses: its connections have 5s, 1s, 10: with 10 probes lost, the count of 10 ends the connection itself"},
		{"--path box:20s --lost-probes 3 --as redis", exit.Problems, "warning: loses: its connections have 11s, 3s, 3: with 3 probes lost the next one comes up to "},
		{"--path box:5m --as pgjdbc", exit.Unknown, "warning: unknown: its connections have what the system's net.ipv4.tcp_keepalive_time, _intvl and _probes say: it depends on what is inherited or not known; with Linux's own 7200 s, 75 s and 9: loses: "},
		{"--path box:3h --as kafka", exit.Unknown, "with Linux's own 7200 s, 75 s and 9: survives: "},
		{"--path aws-nlb-tls,box:1m --as libpq", exit.OK, "note: "},
		{"--path aws-nlb-tls,box:1m --as postgresql", exit.Problems, "warning: loses: its connections have 60s, 6s, 3 on the server's leg aws-nlb-tls - server: the first probe comes up to 65.3s after the last segment, box:1m"},
		{"--path aws-nlb-tls,box:1m --as haproxy", exit.Problems, "warning: loses: connections of clients have 60s, 6s, 3 on the server's leg aws-nlb-tls - server: "},
		{"--path aws-nlb-tls,box:1m --server --as postgresql", exit.OK, ""},
		{"--path aws-nlb-tls,aws-vpc-endpoint --as redis", exit.Unknown, "warning: survives if: its connections have 60s, 20s, 3 on the server's leg aws-nlb-tls - server: a probe refreshes aws-vpc-endpoint (inferred)"},
		{"--path aws-nlb-tls,aws-alb --as nginx", exit.Problems, "warning: needs a heartbeat: connections of clients have 60s, 6s, 3 on the server's leg aws-alb - server: "},
		{"--path aws-nlb-tls --as gunicorn", exit.Problems, "warning: loses: its connections on the server's leg aws-nlb-tls - server: keepalive is off"},
		{"--path box:5m --as ssh", exit.OK, ""},
		{"--path proxy:5m --as ssh", exit.OK, ""},
		{"--path aws-vpc-endpoint --as ssh", exit.OK, ""},
		{"--path aws-alb --as ssh", exit.Unknown, "warning: unknown: its connections: aws-alb passes HTTP only, which ssh does not speak: is this the path?"},
		{"--path aws-alb --as openvpn", exit.Unknown, "aws-alb passes HTTP only, which OpenVPN does not speak"},
		{"--path aws-alb --as redis", exit.Problems, "aws-alb passes HTTP only, which redis-server does not speak"},
		{"--path box:5m --as sysctl", exit.Unknown, "warning: survives if: its connections have 60s, 6s, 3: the program switches keepalive on (SO_KEEPALIVE) and sets no times of its own, as a Go program does; then it is refreshed after "},
		{"--path box:5m --as env", exit.Unknown, "warning: survives if: its connections have 60s, 6s, 3: the program calls socket() of the C library, and sets no such options itself: no Go program does that; then it is "},
		{"--path box:5m --as nginx", exit.OK, ""},
		{"--path box:5m --as caddy", exit.OK, ""},
		{"--path box:5m --as istio", exit.Problems, "warning: needs a heartbeat: connections of clients have 60s, 6s, 3: Envoy itself ends it after 3600s of silence (idle_timeout, Envoy's default)"},
		{"--path box:5m --as envoy", exit.OK, ""},
		{"--path box:5m --as node", exit.OK, ""},
		{"--path box:5m --as traefik", exit.OK, ""},
		{"--path box:5m --as mariadb", exit.Problems, "mariadbd itself ends it after 28800s of silence (wait_timeout, its default)"},
		{"--path box:10s --as openvpn", exit.OK, ""},
		{"--path box:2m --lost-probes 12 --as ssh", exit.Problems, "with 12 packets in a row lost TCP sends the next one up to "},
		{"--path box:5m --detect 60s --as postgresql", exit.OK, ""},
		{"--path box:5m --detect 60s --as systemd", exit.Unknown, "it survives, but a dead peer is not noticed within 60s (in flight): without a user timeout net.ipv4.tcp_retries2"},
		{"--path box:5m --detect 60s --as traefik", exit.Problems, "warning: unnoticed: connections to TCP servers have 40s, 15s, 9: it survives, but a dead peer is not noticed within 60s (idle): that takes up to "},
		{"--path box:5m --detect 60s --from-failure --as systemd", exit.Unknown, "not noticed within 60s (late write)"},
		{"--path box:5m --detect 60s --as ssh", exit.Unknown, "how soon a message every"},
	} {
		code, out, errs := command(append([]string{"plan"}, strings.Fields(tt.line)...)...)
		assert.Equal(t, tt.code, code, "%s: %s", tt.line, errs)
		assert.NotEmpty(t, out, tt.line)
		if tt.want == "" {
			assert.Empty(t, errs, tt.line)
		}
		assert.Contains(t, errs, tt.want, tt.line)
	}
}

// A value of a program that survives as many lost probes as were asked for is found, if
// there is one.
func TestLostProbesOfDerivedValues(t *testing.T) {
	t.Parallel()
	code, out, errs := command("plan", "--path", "box:1h", "--lost-probes", "5", "--longest", "--as", "node")
	assert.Equal(t, exit.OK, code, "%s%s", out, errs)
}
