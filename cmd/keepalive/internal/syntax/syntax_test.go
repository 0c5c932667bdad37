package syntax_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

var comment = regexp.MustCompile(`(?m)^(#|//) ?`)

// oneLine takes the line breaks out of wrapped comments.
func oneLine(text string) string {
	return strings.Join(strings.Fields(comment.ReplaceAllString(text, "")), " ")
}

func planOf(t *testing.T, r align.Request) syntax.Plan {
	t.Helper()
	p, err := r.Plan()
	require.NoError(t, err)
	return syntax.Plan{Config: p.Config, Request: r, Heartbeat: p.Heartbeat}
}

// Each value of a plan is in the text, or what is said about it names the option that
// the program cannot set to it.
func TestNothingIsDropped(t *testing.T) {
	t.Parallel()
	path, err := align.Path("aws-alb")
	require.NoError(t, err)
	p := planOf(t, align.Request{Path: path})
	// Values that no text has by accident, and that cannot be mistaken for each other.
	p.Config = sockopt.Config{Idle: 41 * time.Second, Interval: 7 * time.Second, Count: 6, UserTimeout: 83 * time.Second}
	for _, f := range syntax.Formats {
		t.Run(f.Name, func(t *testing.T) {
			text, notes, err := f.Write(p)
			require.NoError(t, err)
			var said, code []string
			for line := range strings.Lines(text) {
				if comment.MatchString(line) {
					said = append(said, line)
				} else {
					code = append(code, line)
				}
			}
			all := oneLine(strings.Join(append(said, notes...), "\n"))
			for _, o := range []struct{ value, symbol string }{
				{`\b41(s|000)?\b`, "TCP_KEEPIDLE"},
				{`\b7s?\b`, "TCP_KEEPINTVL"},
				{`\b6\b`, "TCP_KEEPCNT"},
				{`\b83(s|000|000ms|_000)?\b`, "TCP_USER_TIMEOUT"},
			} {
				if !regexp.MustCompile(o.value).MatchString(strings.Join(code, "")) {
					assert.Regexp(t, "cannot set [A-Z_, ]*"+o.symbol, all)
				} else if f.Name != "ssh" && f.Name != "sshd" && f.Name != "openvpn" { // which have numbers of their own
					assert.NotRegexp(t, "cannot set [A-Z_, ]*"+o.symbol, all)
				}
			}
			for line := range strings.Lines(text) {
				if comment.MatchString(line) && !strings.Contains(line, "http") {
					assert.LessOrEqual(t, len(strings.TrimSpace(line)), 80, line)
				}
			}
		})
	}
}

// A path with a proxy needs idle times of HTTP at both ends: whoever has such a setting
// gets it, as a setting or in words.
func TestIdleTimesOfHTTP(t *testing.T) {
	t.Parallel()
	path, err := align.Path("aws-alb")
	require.NoError(t, err)
	nlb, err := align.Path("aws-nlb-tcp")
	require.NoError(t, err)
	both := []string{"go", "node", "java", "rust", "nginx", "haproxy", "envoy", "istio", "ingress-nginx", "contour", "traefik", "caddy"}
	client := []string{"grpc", "python", "pgx", "go-mysql", "mysql2"}
	server := []string{"gunicorn", "uvicorn"}
	for _, f := range syntax.Formats {
		t.Run(f.Name, func(t *testing.T) {
			text, notes, err := f.Write(planOf(t, align.Request{Path: path}))
			require.NoError(t, err)
			all := text + strings.Join(notes, "\n")
			has := func(names []string) bool { return strings.Contains(strings.Join(names, " ")+" ", f.Name+" ") }
			assert.Equal(t, has(both) || has(client), regexp.MustCompile(`\b58(000|s)?\b`).MatchString(all) && f.Name != "kafka" && f.Name != "pgjdbc" && f.Name != "connectorj", "the client's: %s", all)
			assert.Equal(t, has(both) || has(server), regexp.MustCompile(`\b65(000|s)?\b`).MatchString(all), "the server's: %s", all)

			text, _, err = f.Write(planOf(t, align.Request{Path: nlb}))
			if f.Name == "gunicorn" || f.Name == "uvicorn" || f.Name == "contour" {
				assert.ErrorContains(t, err, "there is nothing to write")
				assert.Empty(t, text)
				return
			}
			require.NoError(t, err)
			assert.NotContains(t, text, "end of the path", "nothing there closes")
		})
	}
}

// TestIdleTimesThatAreNever: where nothing on the path ends idle connections, the program
// does not either, if it can be told.
func TestIdleTimesThatAreNever(t *testing.T) {
	t.Parallel()
	for name, never := range map[string]string{"envoy": "idle_timeout: 0s # never\n", "node": "server.keepAliveTimeout = 0; // Never"} {
		f, err := syntax.Lookup(name)
		require.NoError(t, err)
		for id, want := range map[string]bool{"aws-nlb-tcp": true, "aws-alb": false, "haproxy": false} { // that of haproxy is not known
			path, err := align.Path(id)
			require.NoError(t, err)
			text, _, err := f.Write(planOf(t, align.Request{Path: path}))
			require.NoError(t, err)
			assert.Equal(t, want, strings.Contains(text, never), "%s: %s", id, text)
		}
	}
}

// Where the timeout of the proxy is not known, that is said, and no time is made up.
func TestUnknownIdleTimes(t *testing.T) {
	t.Parallel()
	path, err := align.Path("haproxy")
	require.NoError(t, err)
	p := planOf(t, align.Request{Path: path})
	for _, name := range []string{"go", "node", "nginx", "envoy", "traefik", "caddy"} {
		f, err := syntax.Lookup(name)
		require.NoError(t, err)
		text, _, err := f.Write(p)
		require.NoError(t, err)
		assert.Contains(t, oneLine(text), "idle times of HTTP are missing here, because the timeout of haproxy is not known: give it with --idle-timeout", name)
		assert.NotContains(t, text, "end of the path", name)
	}
	for _, name := range []string{"gunicorn", "uvicorn", "contour"} {
		f, err := syntax.Lookup(name)
		require.NoError(t, err)
		_, _, err = f.Write(p)
		assert.ErrorIs(t, err, sockopt.ErrUnknown, name)
		assert.ErrorContains(t, err, "the timeout of haproxy is", name)
	}
}

// An idle time of less than a second is not rounded up to one that is too long.
func TestShortIdleTimes(t *testing.T) {
	t.Parallel()
	p := planOf(t, align.Request{Path: []align.Profile{{ID: "proxy", Layer: "L7", Timeout: time.Second, Refreshed: platform.No}}})
	for _, name := range []string{"go", "node", "nginx", "envoy", "python"} {
		f, err := syntax.Lookup(name)
		require.NoError(t, err)
		text, _, err := f.Write(p)
		require.NoError(t, err)
		assert.Contains(t, oneLine(text), "it has to close idle connections after 500ms", name)
		assert.NotRegexp(t, `client's end\n|IDLE =|IdleConnTimeout`, text, name)
	}
}

// What no test gives to the program itself says so in its text.
func TestNotChecked(t *testing.T) {
	t.Parallel()
	path, err := align.Path("aws-alb")
	require.NoError(t, err)
	var unchecked []string
	for _, f := range syntax.Formats {
		text, _, err := f.Write(planOf(t, align.Request{Path: path}))
		require.NoError(t, err)
		if strings.Contains(oneLine(text), "not checked here: this follows the documentation") {
			unchecked = append(unchecked, f.Name)
		}
	}
	assert.Equal(t, []string{"rust", "ingress-nginx", "contour", "traefik", "connectorj", "mysql2"}, unchecked)
}

// The messages of these programs come soon enough for the path, and notice a dead peer as
// soon as the plan does.
func TestSessions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		id     string
		detect time.Duration
	}{{id: "aws-nlb-tcp"}, {id: "aws-alb"}, {id: "haproxy"}, {id: "aws-nlb-tcp", detect: 10 * time.Second}, {id: "linux-conntrack"}} {
		path, err := align.Path(tt.id)
		require.NoError(t, err)
		p := planOf(t, align.Request{Path: path, Detect: tt.detect})
		for name, numbers := range map[string]*regexp.Regexp{
			"ssh":     regexp.MustCompile(`(?s)ServerAliveInterval (\d+)\n.*ServerAliveCountMax (\d+)\n`),
			"sshd":    regexp.MustCompile(`(?s)ClientAliveInterval (\d+)\n.*ClientAliveCountMax (\d+)\n`),
			"openvpn": regexp.MustCompile(`keepalive (\d+) (\d+)\n`),
		} {
			f, err := syntax.Lookup(name)
			require.NoError(t, err)
			text, _, err := f.Write(p)
			require.NoError(t, err)
			m := numbers.FindStringSubmatch(text)
			require.Len(t, m, 3, text)
			interval, err := time.ParseDuration(m[1] + "s")
			require.NoError(t, err)
			second, err := time.ParseDuration(m[2] + "s")
			require.NoError(t, err)
			if timeout := p.Request.Path[0].Timeout; timeout > 0 {
				assert.Less(t, interval*map[string]time.Duration{"ssh": 1, "sshd": 2, "openvpn": 1}[name], timeout, "%s %s", tt.id, name)
			}
			var noticed time.Duration
			switch name {
			case "ssh":
				noticed = interval * 4
				assert.Equal(t, 3*time.Second, second)
			case "sshd":
				noticed = interval * 7
				assert.Equal(t, 3*time.Second, second)
			case "openvpn":
				noticed = second
				assert.GreaterOrEqual(t, second, 2*interval, "openvpn refuses it")
			}
			planned := p.Config.Idle + time.Duration(p.Config.Count)*p.Config.Interval
			assert.LessOrEqual(t, noticed, planned, "%s %s", tt.id, name)
			assert.GreaterOrEqual(t, noticed, planned/3, "%s %s", tt.id, name)
		}
	}
}

// The values that a program derives, or has fixed, survive the path too.
func TestDerivedValuesSurvive(t *testing.T) {
	t.Parallel()
	path, err := align.Path("aws-nlb-tcp")
	require.NoError(t, err)
	for _, r := range []align.Request{{Path: path}, {Path: path, Detect: 60 * time.Second}, {Path: path, LostProbes: -1}} {
		p := planOf(t, r)
		for name, tt := range map[string]struct {
			value *regexp.Regexp
			made  sockopt.Config
		}{
			"node":    {regexp.MustCompile(`keepAliveMsecs: (\d+)000,`), sockopt.Config{Interval: time.Second, Count: 10}},
			"mysql2":  {regexp.MustCompile(`keepAliveInitialDelay: (\d+)000,`), sockopt.Config{Interval: time.Second, Count: 10}},
			"traefik": {regexp.MustCompile(`dialKeepAlive: (\d+)s`), sockopt.Config{Interval: 15 * time.Second, Count: 9}},
		} {
			f, err := syntax.Lookup(name)
			require.NoError(t, err)
			text, _, err := f.Write(p)
			require.NoError(t, err)
			m := tt.value.FindStringSubmatch(text)
			require.Len(t, m, 2, text)
			made := tt.made
			made.Idle, err = time.ParseDuration(m[1] + "s")
			require.NoError(t, err)
			made.UserTimeout = sockopt.NoUserTimeout
			if name == "traefik" && r.Detect > 0 {
				continue // 9 times 15 s are more than a minute: the note says what it is
			}
			a, err := r.AssessConfig(made, platform.Settings{})
			require.NoError(t, err)
			assert.Equal(t, align.Survives, a.Verdict, "%s: %s", name, a.Reason)
		}
	}
}

// Values that a program has fixed are said to be too late where they are.
func TestFixedValues(t *testing.T) {
	t.Parallel()
	for timeout, late := range map[time.Duration]bool{350 * time.Second: false, 100 * time.Second: true} {
		p := planOf(t, align.Request{Path: []align.Profile{
			{ID: "box", Layer: "L4", Timeout: timeout, Refreshed: platform.Yes},
			{ID: "proxy", Layer: "L7", Timeout: time.Minute, Refreshed: platform.No},
		}})
		f, err := syntax.Lookup("traefik")
		require.NoError(t, err)
		text, _, err := f.Write(p)
		require.NoError(t, err)
		assert.Contains(t, oneLine(text), "Traefik's side towards clients has fixed values: this is 180s, 15s, 9 where the plan is ")
		assert.Equal(t, late, strings.Contains(oneLine(text), "with these a probe may come too late"), timeout)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"apache":       "want one of go, grpc, node, ",
		"":             "want one of go, grpc, node, ",
		"libkeepalive": "did you mean env?",
		"socket2":      "did you mean rust?",
		"grpc-go":      "did you mean grpc",
		"ngnix":        "did you mean nginx?",
		"ssh_config":   "did you mean ssh?",
		"jdbc":         "did you mean pgjdbc",
		"javascript":   "want one of",
	} {
		_, err := syntax.Lookup(name)
		assert.ErrorContains(t, err, want, name)
	}
}
