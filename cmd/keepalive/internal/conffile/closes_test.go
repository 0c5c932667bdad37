package conffile_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
)

// TestProgramsThatClose: no probe puts off what the program itself does to a connection
// that is silent. The pause between two requests of HTTP is no loss.
func TestProgramsThatClose(t *testing.T) {
	t.Parallel()
	path, err := align.Path("aws-nlb-tcp")
	require.NoError(t, err)
	const good = "so_keepalive=60s:6s:3"
	for _, tt := range []struct {
		rule, format, text string
		leg                int
		verdict            align.Verdict
		reason             string
	}{
		{"redis", "redis", "tcp-keepalive 60\ntimeout 60", 0, align.NeedsHeartbeat, "redis-server itself ends it after 60s of silence (timeout 60, f:2), and probes do not put that off: only data keeps it"},
		{"redis never does", "redis", "tcp-keepalive 60\ntimeout 0", 0, align.Survives, "refreshed"},
		{"nginx's pool of HTTP", "nginx", "http { keepalive_timeout 10s; server { listen 80 " + good + "; } }", 0, align.Survives, "nginx itself ends it after 10s of silence (keepalive_timeout 10s, f:1: HTTP keep-alive, the pause between two requests)"},
		{"nginx of a server", "nginx", "http { keepalive_timeout 10m; server { keepalive_timeout 1m5s 60s; listen 80 " + good + "; } }", 0, align.Survives, "after 65s of silence"},
		{"nginx of two servers on a socket", "nginx", "http { server { listen 80 " + good + "; keepalive_timeout 20; } server { listen 80; keepalive_timeout 10; } }", 0, align.Survives, "after 10s of silence"},
		{"nginx's default", "nginx", "server { listen 80 " + good + "; }", 0, align.Survives, "after 75s of silence (keepalive_timeout, nginx's default: HTTP keep-alive"},
		{"nginx without pauses", "nginx", "server { listen 80 " + good + "; keepalive_timeout 0; }", 0, align.Survives, "refreshed"},
		{"nginx, TCP", "nginx", "stream { server { listen 80 " + good + "; proxy_pass 10.0.0.1:80; proxy_timeout 30s; } }", 0, align.NeedsHeartbeat, "after 30s of silence (proxy_timeout 30s, f:1)"},
		{"nginx, TCP to an upstream", "nginx", "stream { server { listen 80 " + good + "; proxy_pass 10.0.0.1:80; proxy_socket_keepalive on; } }", 1, align.NeedsHeartbeat, "after 600s of silence (proxy_timeout, nginx's default)"},
		{"nginx, mail", "nginx", "mail { server { listen 25 " + good + "; } }", 0, align.NeedsHeartbeat, "after 60s of silence (timeout, nginx's default)"},
		{"nginx, HTTP to an upstream", "nginx", "server { listen 80; location / { grpc_pass grpc://10.0.0.1; grpc_socket_keepalive on; grpc_read_timeout 1h; } }", 1, align.NeedsHeartbeat, "after 3600s of silence (grpc_read_timeout 1h, f:1: while a request waits)"},
		{"what the path loses first", "nginx", "server { listen 80; keepalive_timeout 10s; }", 0, align.Loses, "keepalive is off: no probe is sent, and aws-nlb-tcp forgets it after 350s; and nginx itself ends it after 10s of silence"},
		{"haproxy's clients", "haproxy", "listen a\n bind :80 tcp-ut 79s\n option tcpka\n clitcpka-idle 60\n clitcpka-intvl 6\n clitcpka-cnt 3\n timeout client 10s\n server b 10.0.0.1:80", 0, align.NeedsHeartbeat, "haproxy itself ends it after 10s of silence (timeout client 10s, f:7)"},
		{"haproxy's servers", "haproxy", "defaults\n timeout server 10000\nbackend a\n option srvtcpka\n server b 10.0.0.1:80", 0, align.NeedsHeartbeat, "after 10s of silence (timeout server 10000, f:2)"},
		{"haproxy, a tunnel", "haproxy", "defaults\n mode tcp\n timeout client 10s\n timeout tunnel 1h\nfrontend a\n bind :80\n option clitcpka", 0, align.NeedsHeartbeat, "after 3600s of silence (timeout tunnel 1h, f:4)"},
		{"haproxy, HTTP", "haproxy", "defaults\n mode http\n timeout client 1m\n timeout http-keep-alive 10s\n timeout tunnel 1h\nfrontend a\n bind :80\n option clitcpka", 0, align.NeedsHeartbeat, "after 10s of silence (timeout http-keep-alive 10s, f:4: HTTP keep-alive"},
		{"haproxy, HTTP, with probes", "haproxy", "defaults\n mode http\n timeout client 1m\n timeout http-keep-alive 10s\nfrontend a\n bind :80\n option clitcpka\n clitcpka-idle 60\n clitcpka-intvl 6\n clitcpka-cnt 3", 0, align.Survives, "; haproxy itself ends it after 10s of silence (timeout http-keep-alive 10s, f:4: HTTP keep-alive, the pause between two requests): a client that may not lose a request gives it up before"},
		{"haproxy, HTTP, at any time", "haproxy", "defaults\n mode http\n timeout client 10s\nfrontend a\n bind :80\n option clitcpka\n clitcpka-idle 60\n clitcpka-intvl 6\n clitcpka-cnt 3", 0, align.NeedsHeartbeat, "haproxy itself ends it after 10s of silence (timeout client 10s, f:3)"},
		{"haproxy never does", "haproxy", "frontend a\n bind :80\n option clitcpka\n clitcpka-idle 60\n clitcpka-intvl 6\n clitcpka-cnt 3\n timeout client 0", 0, align.Survives, "refreshed"},
		{"PostgreSQL", "postgresql", "tcp_keepalives_idle = 60\nidle_session_timeout = 30s", 0, align.NeedsHeartbeat, "the server itself ends it after 30s of silence (idle_session_timeout = 30s, f:2)"},
		{"PostgreSQL says nothing else", "postgresql", "idle_session_timeout = '1min'", 0, align.NeedsHeartbeat, "after 60s of silence"},
		{"PostgreSQL never does", "postgresql", "tcp_keepalives_idle = 60\ntcp_keepalives_interval = 6\ntcp_keepalives_count = 3\nidle_session_timeout = 0", 0, align.Survives, "refreshed"},
		{"Envoy's default", "envoy", "listeners:\n- name: a\n  tcp_keepalive: {keepalive_time: 60, keepalive_interval: 6, keepalive_probes: 3}", 0, align.NeedsHeartbeat, "Envoy itself ends it after 3600s of silence (idle_timeout, Envoy's default)"},
		{"Envoy", "envoy", "listeners:\n- name: a\n  tcp_keepalive: {keepalive_time: 60}\n  filter_chains:\n  - filters:\n    - typed_config: {idle_timeout: 300s}\n    - typed_config: {idle_timeout: 30s}", 0, align.NeedsHeartbeat, "after 30s of silence (idle_timeout: 30s, f:7)"},
		{"Envoy never does", "envoy", "clusters:\n- name: a\n  upstream_connection_options: {tcp_keepalive: {keepalive_time: 60, keepalive_interval: 6, keepalive_probes: 3}}\n  common_http_protocol_options: {idle_timeout: 0s}", 0, align.Survives, "refreshed"},
		{"Istio", "kubernetes", "kind: DestinationRule\napiVersion: networking.istio.io/v1\nmetadata: {name: d}\nspec: {trafficPolicy: {connectionPool: {http: {idleTimeout: 20s}, tcp: {tcpKeepalive: {time: 60s}}}}}", 0, align.NeedsHeartbeat, "after 20s of silence (idleTimeout: 20s, f:4)"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			doc := one(t, "f", tt.text, tt.format)
			require.NoError(t, doc.Err)
			require.Greater(t, len(doc.Legs), tt.leg)
			a, err := doc.Legs[tt.leg].Assess(align.Request{Path: path})
			require.NoError(t, err)
			assert.Equal(t, tt.verdict, a.Verdict, a.Reason)
			assert.Contains(t, a.Reason, tt.reason)
			if tt.verdict == align.NeedsHeartbeat {
				assert.Less(t, a.Heartbeat.Every, doc.Legs[tt.leg].Closing.After)
			}
		})
	}
	doc := one(t, "f", "tcp-keepalive 60\ntimeout 60", "redis")
	proxy, err := align.Path("proxy:20s", "box:30s", "proxy:300s")
	require.NoError(t, err)
	a, err := doc.Legs[0].Assess(align.Request{Path: proxy})
	require.NoError(t, err)
	assert.Contains(t, a.Reason, "proxy:300s does not count TCP keepalive probes: only data keeps the connection; and redis-server itself ends it")
	assert.Equal(t, "Redis PING", a.Heartbeat.Kinds[0].Name)
}
