package conffile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
)

// said is what was read, a line for each leg and each remark but notes:
//
//	7 connections of clients of *:80: idle=30s,count=10
//	7 unit
func said(doc *conffile.Document) string {
	var lines []string
	for _, l := range doc.Legs {
		if l.Implied { // see TestImplied
			continue
		}
		line := fmt.Sprintf("%d %s: %s", l.Line, l.Name, l.Config)
		if l.Heartbeat > 0 {
			line += fmt.Sprintf(" heartbeat %s", l.Heartbeat)
		}
		lines = append(lines, line)
	}
	for _, r := range doc.All() {
		if r.Kind != conffile.Note {
			lines = append(lines, fmt.Sprintf("%d %s", r.Line, r.Kind))
		}
	}
	return strings.Join(lines, "\n")
}

func one(t *testing.T, name, text, format string) *conffile.Document {
	t.Helper()
	docs := conffile.Read([]conffile.File{{Name: name, Text: text}}, format)
	require.Len(t, docs, 1)
	return docs[0]
}

// A row is a configuration, and what is to be said about it.
type row struct{ rule, text, want string }

func check(t *testing.T, format string, rows []row) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			doc := one(t, "file", strings.TrimPrefix(tt.text, "\n"), format)
			require.NoError(t, doc.Err)
			var want []string
			for line := range strings.Lines(tt.want) {
				if line = strings.TrimSpace(line); line != "" {
					want = append(want, line)
				}
			}
			assert.Equal(t, strings.Join(want, "\n"), said(doc))
		})
	}
}

// Each leg says of every option who sets it.
func TestSettings(t *testing.T) {
	t.Parallel()
	list := func(format, text string) string {
		doc := one(t, "f", text, format)
		require.NoError(t, doc.Err)
		var b strings.Builder
		for _, s := range doc.Legs[0].Settings {
			where := s.By
			if s.Line > 0 {
				where = strings.TrimSpace(fmt.Sprintf("%s %s %s", s.Place, s.Text, s.By))
			}
			fmt.Fprintf(&b, "%s=%s: %s\n", s.Option, s.Value, where)
		}
		return b.String()
	}
	assert.Equal(t, `keepalive=on: f:1 tcp-keepalive 60
idle=60s: f:1 tcp-keepalive 60
interval=20s: f:1 tcp-keepalive 60 redis-server: a third of tcp-keepalive
count=3: f:1 tcp-keepalive 60 redis-server
user-timeout=off: redis-server cannot set it
`, list("redis", "tcp-keepalive 60"))
	assert.Equal(t, `keepalive=on: libpq switches it on
idle=: inherited: net.ipv4.tcp_keepalive_time of its network namespace
interval=: inherited: net.ipv4.tcp_keepalive_intvl of its network namespace
count=5: f:2 keepalives_count=5
user-timeout=off: nobody sets it
`, list("libpq", "host=db\nkeepalives_count=5"))
	assert.Equal(t, `keepalive=: the program's, which may switch it on or not
idle=60s: f:1 net.ipv4.tcp_keepalive_time=60
interval=: inherited: net.ipv4.tcp_keepalive_intvl of its network namespace
count=: inherited: net.ipv4.tcp_keepalive_probes of its network namespace
user-timeout=off: nobody sets it
`, list("sysctl", "net.ipv4.tcp_keepalive_time=60"))
}

// has reports whether there is a mistake of that kind on that line.
func has(doc *conffile.Document, line int, kind conffile.Kind) bool {
	for _, r := range doc.All() {
		if r.Line == line && r.Kind == kind {
			return true
		}
	}
	return false
}

// TestByteOrderMark: no first line is lost, and that the program loses it is said.
func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	const mark = "\ufeff"
	for format, text := range map[string]string{
		"nginx":      "server { listen 80 so_keepalive=60s:10s:3; }",
		"haproxy":    "listen a\n bind :80\n server b 10.0.0.1:80\n option tcpka",
		"envoy":      "static_resources: {clusters: [{name: a, upstream_connection_options: {tcp_keepalive: {keepalive_time: 60}}}]}",
		"kubernetes": `{"apiVersion": "v1", "kind": "Pod", "spec": {"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "60"}]}}}`,
		"compose":    "services: {a: {sysctls: {net.ipv4.tcp_keepalive_time: 60}}}",
		"docker":     "docker run --sysctl net.ipv4.tcp_keepalive_time=60 a",
		"sysctl":     "net.ipv4.tcp_keepalive_time = 60",
		"systemd":    "[Socket]\nListenStream=80\nKeepAlive=yes\nKeepAliveTimeSec=60",
		"libpq":      "keepalives_idle=60 host=a",
		"postgresql": "tcp_keepalives_idle = 60",
		"redis":      "tcp-keepalive 60",
		"ssh":        "ServerAliveInterval 60",
		"sshd":       "ClientAliveInterval 60",
	} {
		plain, marked := one(t, "f", text, ""), one(t, "f", mark+text, "")
		require.NoError(t, marked.Err, format)
		require.Equal(t, format, marked.Format)
		require.Len(t, marked.Legs, len(plain.Legs), format)
		for i, l := range plain.Legs {
			assert.Equal(t, l.Config, marked.Legs[i].Config, format)
			assert.Equal(t, l.Heartbeat, marked.Legs[i].Heartbeat, format)
		}
		want := !slices.Contains([]string{"envoy", "kubernetes", "compose", "systemd"}, format)
		assert.Equal(t, want, has(marked, 1, conffile.Refused), format)
	}
	docs := conffile.Read([]conffile.File{{Name: "redis.conf", Text: "include b.conf"}, {Name: "b.conf", Text: mark + "tcp-keepalive 60"}}, "")
	require.Len(t, docs, 1)
	assert.Equal(t, "b.conf:1", docs[0].All()[0].Place.String())
	assert.Equal(t, 60*time.Second, docs[0].Legs[0].Config.Idle)
}
