package conffile_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNginx(t *testing.T) {
	t.Parallel()
	check(t, "nginx", []row{
		{"on", `server { listen 80 so_keepalive=on; }`, `1 connections of clients of *:80: on`},
		{"off by default", `server { listen 80; keepalive_timeout 75s; }`, `1 connections of clients of *:80: off`},
		{"off", `server { listen 80 so_keepalive=off; }`, `1 connections of clients of *:80: off`},
		{"some of the values", `server { listen 80 so_keepalive=30m::10; }`, `1 connections of clients of *:80: idle=1800s,count=10`},
		{"the idle time alone", `server { listen 80 so_keepalive=60; }`, `1 connections of clients of *:80: idle=60s`},
		{"no listen is port 80", `server { keepalive_timeout 65; }`, `1 connections of clients of *:80: off`},
		{"an address without a port", `server { listen 10.0.0.1 so_keepalive=on; listen [::1] so_keepalive=on; listen backend so_keepalive=on; }`, `
			1 connections of clients of 10.0.0.1:80: on
			1 connections of clients of [::1]:80: on
			1 connections of clients of backend:80: on`},
		{"servers share a socket", "server { listen 80 so_keepalive=60:10:3; }\nserver { listen *:80; server_name b; }", `1 connections of clients of *:80: idle=60s,interval=10s,count=3`},
		{"milliseconds", `server { listen 80 so_keepalive=60000:10000:3; }`, "1 connections of clients of *:80: interval=10000s,count=3\n1 unit\n1 unit"},
		{"with a unit it is meant", `server { listen 80 so_keepalive=5000s::; }`, `1 connections of clients of *:80: idle=5000s`},
		{"more than the kernel takes", `server { listen 80 so_keepalive=10h:10:200; }`, "1 connections of clients of *:80: interval=10s\n1 refused\n1 refused"},
		{"what nginx refuses", `server { listen 80 so_keepalive=500ms::; }`, "1 connections of clients of *:80: off\n1 refused"},
		{"what only we take", `server { listen 80 so_keepalive=idle=60s; }`, "1 connections of clients of *:80: off\n1 refused"},
		{"a Unix socket", `server { listen unix:/run/x so_keepalive=on; }`, `1 ignored`},
		{"UDP", `stream { server { listen 53 udp so_keepalive=on; proxy_pass 10.0.0.1:53; } }`, "1 connections to upstreams of proxy_pass: off\n1 ignored"},
		{"both legs", `
http {
	proxy_socket_keepalive on;
	server {
		listen 80 so_keepalive=60:10:3;
		location / { proxy_pass http://10.0.0.1; }
		location /b { proxy_pass http://10.0.0.2; proxy_socket_keepalive off; }
	}
}`, `

			4 connections of clients of *:80: idle=60s,interval=10s,count=3
			5 connections to upstreams of proxy_pass: on
			6 connections to upstreams of proxy_pass: off
			6 one leg`},
		{"the clients' leg only", `server { listen 80 so_keepalive=60; location / { grpc_pass grpc://10.0.0.1; } }`, `
			1 connections of clients of *:80: idle=60s
			1 connections to upstreams of grpc_pass: off
			1 one leg`},
		{"the upstreams' leg only", `server { listen 80; location / { proxy_pass http://10.0.0.1; proxy_socket_keepalive on; } }`, `
			1 connections of clients of *:80: off
			1 connections to upstreams of proxy_pass: on
			1 one leg`},
		{"an upstream on the same machine", `server { listen 80 so_keepalive=60; location / { proxy_pass http://app; } } upstream app { server 127.0.0.1:8080; server unix:/run/app; }`, `
			1 connections of clients of *:80: idle=60s
			1 connections to upstreams of proxy_pass: off`},
		{"an upstream that is a Unix socket", `server { listen 80 so_keepalive=60; location ~ \.php$ { fastcgi_pass unix:/run/php; } }`, `1 connections of clients of *:80: idle=60s`},
		{"the switch of another protocol", `server { listen 80 so_keepalive=60; fastcgi_socket_keepalive on; location / { proxy_pass http://10.0.0.1; proxy_socket_keepalive on; } }`, `
			1 connections of clients of *:80: idle=60s
			1 connections to upstreams of proxy_pass: on
			1 ignored`},
		{"nginx's own timeout in milliseconds", `http { keepalive_timeout 65000; server { listen 80; } }`, "1 connections of clients of *:80: off\n1 unit"},
		{"neither", `http { server { listen 80; root /srv; } }`, ``},
		{"an include that was not given", "http {\n include mime.types;\n include /etc/nginx/conf.d/*.conf;\n}", "3 unread"},
		{"quotes, comments, variables, Lua", "# a { comment\nhttp { set $a \"x{y;} \\\" z\"; add_header b 'c;d'; set $c ${a}b;\ncontent_by_lua_block { if x then { } end }\nserver { listen 80 so_keepalive=on; # here }\n} }", `4 connections of clients of *:80: on`},
	})
	doc := one(t, "nginx.conf", `server { listen 80 so_keepalive=60000:10:3; }`, "")
	assert.Equal(t, "so_keepalive=60000:10:3: a number without a unit is in seconds here, so this is 16h40m0s: if milliseconds were meant, write 60; "+
		"TCP_KEEPIDLE takes 1s to 32767s on Linux: nginx logs an alert, and the system's default stays", doc.All()[0].Text)
}

func TestHAProxy(t *testing.T) {
	t.Parallel()
	check(t, "haproxy", []row{
		{"both sides", `
defaults
	option clitcpka
	option srvtcpka
	clitcpka-idle 60
	clitcpka-intvl 10s
	clitcpka-cnt 3
	srvtcpka-idle 1m
frontend in
	bind :80 tcp-ut 90s
backend out
	server a 10.0.0.1:80 tcp-ut 90000`, `
			8 connections of clients of frontend in: idle=60s,interval=10s,count=3,user-timeout=90s
			10 connections to servers of backend out: idle=60s,user-timeout=90s`},
		{"one option for both", "listen a\n bind :80\n option tcpka\n server b 10.0.0.1:80", `
			1 connections of clients of listen a: on
			1 connections to servers of listen a: on`},
		{"times without the option", "listen a\n bind :80\n clitcpka-idle 60\n server b 127.0.0.1:80", `
			1 connections of clients of listen a: off
			1 connections to servers of listen a: off
			3 off`},
		{"no option", "defaults\n option clitcpka\n clitcpka-idle 60\nfrontend a\n bind :80\n no option clitcpka", "4 connections of clients of frontend a: off\n3 off"},
		{"defaults start anew", "defaults\n option clitcpka\ndefaults\n timeout client 1m\nfrontend a\n bind :80", `5 connections of clients of frontend a: off`},
		{"named defaults", "defaults x\n option clitcpka\ndefaults y\n timeout client 1m\nfrontend a from x\n bind :80", `5 connections of clients of frontend a: on`},
		{"one leg", "frontend a\n bind :80\n option clitcpka\nbackend b\n server c 10.0.0.1:80\n timeout server 50s", `
			1 connections of clients of frontend a: on
			4 connections to servers of backend b: off
			4 one leg`},
		{"the other leg is in the machine", "frontend a\n bind :80\n option clitcpka\nbackend b\n server c 127.0.0.1:80\n server d /run/d", `
			1 connections of clients of frontend a: on
			4 connections to servers of backend b: off`},
		{"an option of the other side", "frontend a\n bind :80\n option srvtcpka\n srvtcpka-idle 5", "1 connections of clients of frontend a: off\n3 ignored\n4 ignored"},
		{"milliseconds for seconds", "frontend a\n bind :80\n option clitcpka\n clitcpka-idle 60000\n clitcpka-intvl 10000", "1 connections of clients of frontend a: interval=10000s\n4 unit\n5 unit"},
		{"seconds for milliseconds", "defaults\n timeout client 30\n timeout tunnel 3600\nfrontend a\n bind :80 tcp-ut 30\n option clitcpka", "4 connections of clients of frontend a: user-timeout=30ms\n2 unit\n5 unit"},
		{"units are rounded up", "frontend a\n bind :80\n option clitcpka\n clitcpka-idle 1500ms", `1 connections of clients of frontend a: idle=2s`},
		{"two units", "frontend a\n bind :80\n option clitcpka\n clitcpka-idle 5m30s", "1 connections of clients of frontend a: idle=300s\n4 refused"},
		{"0 is the system's", "frontend a\n bind :80 tcp-ut 0\n option clitcpka\n clitcpka-idle 0", `1 connections of clients of frontend a: on`},
		{"no number", "frontend a\n bind :80\n option clitcpka\n clitcpka-idle -1\n clitcpka-cnt 3.5\n clitcpka-intvl", "1 connections of clients of frontend a: on\n4 refused\n5 refused\n6 refused"},
		{"out of range", "frontend a\n bind :80\n option clitcpka\n clitcpka-idle 10h\n clitcpka-cnt 128", "1 connections of clients of frontend a: on\n4 refused\n5 refused"},
		{"mistyped", "frontend a\n bind :80\n option clitpcka\n clitcpka-iddle 4\n clitcpka-interval 4", "1 connections of clients of frontend a: off\n3 unknown word\n4 unknown word\n5 unknown word"},
		{"the user timeout cuts the count", "frontend a\n bind :80 tcp-ut 20s\n option clitcpka\n clitcpka-idle 60\n clitcpka-intvl 10\n clitcpka-cnt 3", "1 connections of clients of frontend a: idle=60s,interval=10s,count=3,user-timeout=20s\n2 user timeout"},
		{"default-server", "backend b\n default-server tcp-ut 30s\n option srvtcpka\n server c 10.0.0.1:80\n server d 10.0.0.2:80 tcp-ut 60s", `
			1 connections to servers of backend b (c): user-timeout=30s
			1 connections to servers of backend b (d): user-timeout=60s`},
		{"other sections, quotes, conditions", "global\n log stdout \"a # b\"\n.if defined(X)\nfrontend a # c\n bind :80\n option clitcpka\n.endif\nresolvers r\n nameserver n 10.0.0.1:53", "4 connections of clients of frontend a: on\n3 unread"},
		{"variables", "frontend a\n bind :80 tcp-ut \"${UT}\"\n option clitcpka\n clitcpka-idle \"$IDLE\"\n clitcpka-cnt $CNT", "1 connections of clients of frontend a: on\n2 unread\n4 unread\n5 unread"},
		{"no option that cannot be negated", "frontend a\n bind :80\n no option tcpka", "1 connections of clients of frontend a: off\n3 refused"},
		{"a timeout of the other side", "frontend a\n bind :80\n timeout tunnel 1h", "1 connections of clients of frontend a: off\n3 ignored"},
		{"nothing", "defaults\n mode tcp\nfrontend a\n bind :80", ``},
	})
}

func TestEnvoy(t *testing.T) {
	t.Parallel()
	check(t, "envoy", []row{
		{"both sides", `
static_resources:
  listeners:
  - name: in
    address: {socket_address: {address: 0.0.0.0, port_value: 80}}
    socket_options:
    - {level: 1, name: 9, int_value: 1}
    - {level: 6, name: 4, int_value: 60}
    - {level: 6, name: 5, int_value: 10, state: STATE_PREBIND}
    - {level: 6, name: 6, int_value: "3"}
    - {level: 6, name: 18, int_value: 90000}
  clusters:
  - name: out
    upstream_connection_options:
      tcp_keepalive: {keepalive_time: 60, keepalive_probes: 3}`, `
			3 connections of clients of listener in: idle=60s,interval=10s,count=3,user-timeout=90s
			12 connections to servers of cluster out: idle=60s,count=3`},
		{"empty is on", "clusters:\n- name: a\n  upstream_connection_options: {tcp_keepalive: {}}", `2 connections to servers of cluster a: on`},
		{"0 is off", "clusters:\n- name: a\n  upstream_connection_options: {tcp_keepalive: {keepalive_time: 0}}", `2 connections to servers of cluster a: off`},
		{"JSON and its other names", "{\"clusters\": [\n{\"name\": \"a\",\n \"upstreamConnectionOptions\": {\"tcpKeepalive\":\n {\"keepaliveTime\": 60000}}}]}", "2 connections to servers of cluster a: on\n4 unit"},
		{"times without SO_KEEPALIVE", "listeners:\n- name: a\n  socket_options: [{level: 6, name: 4, int_value: 60}]", "2 connections of clients of listener a: off,idle=60s\n3 off"},
		{"a listener's own", "listeners:\n- name: a\n  tcp_keepalive: {keepalive_interval: 5}", `2 connections of clients of listener a: interval=5s`},
		{"one side", "listeners:\n- name: a\nclusters:\n- name: b\n  upstream_connection_options: {tcp_keepalive: {}}\n- name: local\n  load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 1}}}}]}]}", `
			2 connections of clients of listener a: off
			4 connections to servers of cluster b: on
			6 connections to servers of cluster local: off
			2 one leg`},
		{"the wrong place", "clusters:\n- name: a\n  tcp_keepalive: {keepalive_time: 60}", "2 connections to servers of cluster a: off\n3 unknown word"},
		{"seconds for milliseconds", "clusters:\n- name: a\n  upstream_bind_config:\n    socket_options: [{level: 6, name: 18, int_value: 20}]", "2 connections to servers of cluster a: off,user-timeout=20ms\n4 unit"},
		{"never listens", "clusters:\n- name: a\n  upstream_bind_config:\n    socket_options: [{level: 1, name: 9, int_value: 1, state: STATE_LISTENING}]", "2 connections to servers of cluster a: off\n4 ignored"},
		{"a buffer", "listeners:\n- name: a\n  socket_options: [{level: 1, name: 9, buf_value: AQAAAA==}]", "2 connections of clients of listener a: off\n3 unread"},
		{"unknown and refused", "clusters:\n- name: a\n  upstream_connection_options: {tcp_keepalive: {time: 60, keepalive_probes: 200, keepalive_interval: x}}", "2 connections to servers of cluster a: on\n3 unknown word\n3 refused\n3 refused"},
		{"places that are not understood", "listeners:\n- name: a\n  additional_addresses:\n  - socket_options: {socket_options: [{level: 1, name: 9, int_value: 1}]}\nother:\n  tcp_keepalive: {keepalive_time: 60}", "2 connections of clients of listener a: off\n4 unread\n6 unread"},
		{"all clusters", "cluster_manager:\n  upstream_bind_config:\n    socket_options: [{level: 1, name: 9, int_value: 1}, {level: 6, name: 4, int_value: 60}]\nstatic_resources:\n  clusters:\n  - name: a", `6 connections to servers of cluster a: idle=60s`},
		{"nothing", "static_resources: {clusters: [{name: a}]}", ``},
	})
}
