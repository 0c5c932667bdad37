package conffile_test

import (
	"fmt"
	"strings"
	"testing"

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
