package conffile_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
)

// TestAdvice does what is advised about each mistake of the unit, and reads the file again:
// then nothing is wrong.
func TestAdvice(t *testing.T) {
	t.Parallel()
	advice := regexp.MustCompile(`write (\d+s?)(;|$)`)
	number := regexp.MustCompile(`\d+`)
	for _, tt := range []struct {
		format, text string
		wrong        int // mistakes of the unit
		says         string
	}{
		{"libpq", "host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=15", 1, "if seconds were meant, that is 15000, which would be too short for idle 60s, interval 10s, count 3: write 90000"},
		{"libpq", "host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=85", 1, "if seconds were meant, write 85000"},
		{"libpq", "host=db keepalives_idle=60 keepalives_interval=10 tcp_user_timeout=70", 1, "too short for idle 60s, interval 10s: write 150000"},
		{"libpq", "host=db keepalives_idle=60 tcp_user_timeout=60", 1, "too short for idle 60s: write 735000"},
		{"libpq", "host=db keepalives_idle=60 tcp_user_timeout=61", 1, "write 61000"},
		{"libpq", "host=db tcp_user_timeout=15", 1, "write 15000"},
		{"libpq", "host=db keepalives_idle=60000 keepalives_interval=10000 keepalives_count=3 tcp_user_timeout=15", 3, "too short for idle 60s, interval 10s, count 3: write 90000"},
		{"libpq", "host=db keepalives_idle=60000 keepalives_interval=1500 keepalives_count=3 tcp_user_timeout=66000", 2, "write 2"},
		{"libpq", "host=db keepalives_idle=30000 keepalives_interval=30000 keepalives_count=127 tcp_user_timeout=1", 3, "write 3840000"},
		{"postgresql", "tcp_keepalives_idle = 60\ntcp_keepalives_interval = 10\ntcp_keepalives_count = 3\ntcp_user_timeout = 15", 1, "write 90000"},
		{"haproxy", "listen a\n bind :80 tcp-ut 15\n option tcpka\n clitcpka-idle 60\n clitcpka-intvl 10\n clitcpka-cnt 3\n server b 10.0.0.1:80", 1, "write 90000"},
		{"haproxy", "listen a\n bind :80\n timeout client 30\n option tcpka\n server b 10.0.0.1:80", 1, "write 30s"},
		{"nginx", "server { listen 80 so_keepalive=60000:10000:3; }", 2, "write 60"},
		{"nginx", "server { keepalive_timeout 75000; listen 80 so_keepalive=60:10:3; }", 1, "write 75"},
		{"redis", "tcp-keepalive 300000", 1, "write 300"},
		{"systemd", "[Socket]\nKeepAlive=yes\nKeepAliveTimeSec=60000\nKeepAliveIntervalSec=5000", 2, "write 60"},
		{"sysctl", "net.ipv4.tcp_keepalive_time = 60000\nnet.ipv4.tcp_keepalive_intvl = 10000", 2, "write 60"},
		{"sysctl", "net.ipv4.tcp_keepalive_time = 7200000", 1, "write 7200"},
		{"ssh", "ServerAliveInterval 60000", 1, "write 60"},
		{"envoy", "listeners:\n- name: a\n  tcp_keepalive: {keepalive_time: 60000, keepalive_interval: 5000}", 2, "write 60"},
	} {
		text, all := tt.text, ""
		doc := one(t, "f", text, tt.format)
		require.NoError(t, doc.Err, text)
		n := 0
		lines := strings.Split(text, "\n")
		for _, r := range doc.All() {
			if r.Kind != conffile.Unit {
				continue
			}
			n++
			all += r.Text + "\n"
			m := advice.FindStringSubmatch(strings.Split(r.Text, "; it takes")[0])
			require.NotNil(t, m, r.Text)
			// The number that is wrong is one of those in the text of the setting.
			setting, _, _ := strings.Cut(r.Text, ": a number")
			for _, wrong := range number.FindAllString(setting, -1) {
				if m[1] == wrong[:max(len(wrong)-3, 0)] || strings.Contains(r.Text, "in milliseconds here") || wrong == "1500" {
					after := strings.Replace(setting, wrong, m[1], 1)
					if i := r.Line - 1; strings.Contains(lines[i], setting) {
						lines[i] = strings.Replace(lines[i], setting, after, 1)
					} else {
						lines[i] = strings.Replace(lines[i], wrong, m[1], 1)
					}
					break
				}
			}
		}
		assert.Equal(t, tt.wrong, n, "%s: %s", text, all)
		assert.Contains(t, all, tt.says, text)
		better := strings.Join(lines, "\n")
		require.NotEqual(t, text, better)
		doc = one(t, "f", better, tt.format)
		require.NoError(t, doc.Err)
		for _, r := range doc.All() {
			assert.False(t, r.Kind.Mistake() && r.Kind != conffile.OneLeg, "%s\n%s", better, r.Text)
		}
	}
}
