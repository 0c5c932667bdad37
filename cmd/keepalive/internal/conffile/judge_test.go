package conffile_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestAssess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule, format, text, path string
		verdict                  align.Verdict
		reason                   string
	}{
		{"complete", "libpq", "host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=3", "aws-nlb-tcp", align.Survives, "refreshed after"},
		{"too late", "redis", "tcp-keepalive 300", "aws-nlb-tcp", align.Loses, "with 1 probe lost"},
		{"off", "nginx", "server { listen 80 so_keepalive=off; }", "aws-nlb-tcp", align.Loses, "keepalive is off"},
		{"inherited", "nginx", "server { listen 80 so_keepalive=on; keepalive_timeout 0; }", "aws-nlb-tcp", align.Unknown, "it depends on what is inherited or not known; with Linux's own 7200 s, 75 s and 9: loses: the first probe comes up to"},
		{"inherited in part", "libpq", "host=db keepalives_idle=60", "aws-nlb-tcp", align.Unknown, "with Linux's own 7200 s, 75 s and 9: survives"},
		{"a proxy ignores probes", "libpq", "host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=3", "aws-rds-proxy", align.NeedsHeartbeat, "only data keeps the connection"},
		{"a heartbeat is data", "ssh", "ServerAliveInterval 50", "proxy:60s", align.Survives, "ServerAliveInterval 50 (f:1) sends data often enough: every 5"},
		{"what carries streams does", "ssh", "ServerAliveInterval 30", "kubelet-streaming", align.Survives, "sends data often enough"},
		{"a database does not talk to ssh", "sshd", "ClientAliveInterval 30", "mysql", align.Unknown, "mysql passes SQL only, which sshd does not speak"},
		{"too seldom a heartbeat", "ssh", "TCPKeepAlive no\nServerAliveInterval 400", "aws-nlb-tcp", align.Loses, "keepalive is off: no probe is sent, and aws-nlb-tcp forgets it after 350s; ServerAliveInterval 400 (f:2) is too seldom"},
		{"what ends a session is no heartbeat", "ssh", "ServerAliveInterval 60\nServerAliveCountMax 0", "aws-nlb-tcp", align.NeedsHeartbeat, "ssh itself ends it after 60s of silence (ServerAliveCountMax 0, f:2)"},
		{"sshd never ends it", "sshd", "ClientAliveInterval 60\nClientAliveCountMax 0", "aws-nlb-tcp", align.Survives, "sends data often enough"},
		{"sshd may wait two intervals", "sshd", "TCPKeepAlive no\nClientAliveInterval 200", "aws-nlb-tcp", align.Loses, "ClientAliveInterval 200 (f:2: up to 400s between two, in OpenSSH 9.2) is too seldom"},
		{"ssh waits one", "ssh", "TCPKeepAlive no\nServerAliveInterval 200", "aws-nlb-tcp", align.Survives, "sends data often enough"},
		{"a heartbeat, and keepalive that is inherited", "ssh", "ServerAliveInterval 400", "aws-nlb-tcp", align.Unknown, "it depends on what is inherited or not known"},
		{"a sysctl is not a program", "sysctl", "net.ipv4.tcp_keepalive_time=60\nnet.ipv4.tcp_keepalive_intvl=10\nnet.ipv4.tcp_keepalive_probes=3", "aws-nlb-tcp", align.SurvivesIf, "the program switches keepalive on (SO_KEEPALIVE) and sets no times of its own, as a Go program does; then it is refreshed"},
		{"a sysctl and a path that nobody verified", "sysctl", "net.ipv4.tcp_keepalive_time=60\nnet.ipv4.tcp_keepalive_intvl=10\nnet.ipv4.tcp_keepalive_probes=3", "aws-vpc-endpoint", align.SurvivesIf, "as a Go program does, and a probe refreshes aws-vpc-endpoint"},
		{"what the kernel refuses is inherited", "nginx", "server { listen 80 so_keepalive=40001:10:3; keepalive_timeout 0; }", "aws-nlb-tcp", align.Unknown, "it depends on what is inherited or not known"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			path, err := align.Path(tt.path)
			require.NoError(t, err)
			doc := one(t, "f", tt.text, tt.format)
			require.Len(t, doc.Legs, 1)
			a, err := doc.Legs[0].Assess(align.Request{Path: path})
			require.NoError(t, err)
			assert.Equal(t, tt.verdict, a.Verdict, a.Reason)
			assert.Contains(t, a.Reason, tt.reason)
			if tt.verdict == align.SurvivesIf {
				assert.NotEmpty(t, a.Assumptions)
			}
		})
	}
	_, err := one(t, "f", "tcp-keepalive 60", "redis").Legs[0].Assess(align.Request{})
	assert.Error(t, err, "no path")
	path, err := align.Path("linkerd")
	require.NoError(t, err)
	_, err = one(t, "f", "tcp-keepalive 60", "redis").Legs[0].Assess(align.Request{Path: path})
	assert.ErrorIs(t, err, sockopt.ErrUnknown, "nobody knows its timeout")
}

// TestAssessAtItsEnd: what a program accepts is at the server's end of a path, behind the
// proxy, and what it opens is at the client's.
func TestAssessAtItsEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		format, text string
		ends         []bool // true is the server's
	}{
		{"nginx", "server { listen 80 so_keepalive=60s:6s:3; location / { proxy_pass http://10.0.0.1; } }", []bool{true, false}},
		{"haproxy", "listen a\n bind :80\n option tcpka\n server b 10.0.0.1:80", []bool{true, false}},
		{"envoy", "listeners:\n- name: a\n  tcp_keepalive: {keepalive_time: 60}\nclusters:\n- name: b\n  upstream_connection_options: {tcp_keepalive: {}}", []bool{true, false}},
		{"kubernetes", "kind: DestinationRule\napiVersion: networking.istio.io/v1\nmetadata: {name: d}\nspec: {trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {time: 60s}}}}}", []bool{false}},
		{"redis", "tcp-keepalive 60", []bool{true}},
		{"postgresql", "tcp_keepalives_idle = 60\nprimary_conninfo = 'host=primary keepalives_idle=60'", []bool{false, true}},
		{"libpq", "host=db keepalives_idle=60", []bool{false}},
		{"systemd", "[Socket]\nListenStream=80\nKeepAlive=yes", []bool{true}},
		{"ssh", "TCPKeepAlive yes", []bool{false}},
		{"sshd", "TCPKeepAlive yes", []bool{true}},
	} {
		doc := one(t, "f", tt.text, tt.format)
		require.NoError(t, doc.Err)
		var ends []bool
		for _, l := range doc.Legs {
			ends = append(ends, l.Server)
		}
		assert.Equal(t, tt.ends, ends, tt.format)
	}
	path, err := align.Path("aws-nlb-tls", "box:30s")
	require.NoError(t, err)
	for _, tt := range []struct {
		format, text string
		server       bool
		want         align.Verdict
	}{
		{"redis", "tcp-keepalive 60", false, align.Loses},
		{"redis", "tcp-keepalive 60", true, align.Loses},
		{"libpq", "host=db keepalives_idle=60 keepalives_interval=6 keepalives_count=3", false, align.Survives},
		{"libpq", "host=db keepalives_idle=60 keepalives_interval=6 keepalives_count=3", true, align.Loses}, // --server wins
	} {
		a, err := one(t, "f", tt.text, tt.format).Legs[0].Assess(align.Request{Path: path, Server: tt.server})
		require.NoError(t, err)
		assert.Equal(t, tt.want, a.Verdict, "%s %v: %s", tt.format, tt.server, a.Reason)
	}
}
