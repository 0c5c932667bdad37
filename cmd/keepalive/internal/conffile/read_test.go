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

func TestLibpq(t *testing.T) {
	t.Parallel()
	check(t, "libpq", []row{
		{"conninfo", `host=db.example.com keepalives=1 keepalives_idle=60 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=90000`, `1 the connection to db.example.com: idle=60s,interval=10s,count=3,user-timeout=90s`},
		{"a URI", `postgresql://u:p%3Aw@db:5432,db2:5432/x?keepalives_idle=60&tcp_user_timeout=0`, `1 the connection to db:5432,db2:5432: idle=60s,user-timeout=off`},
		{"URIs of an environment file", "# c\nPORT=80\nexport DATABASE_URL=\"postgres://a/x?keepalives_idle=60\"\nOTHER='postgres://b/?keepalives=0'", "3 the connection to a: idle=60s\n4 the connection to b: off"},
		{"services", "[one]\nhost=a\nkeepalives_idle=60\n[two]\nhost=b\n[three]\ntcp_user_timeout=15\n", "1 the connection to a: idle=60s\n6 connections of service three: user-timeout=15ms\n7 unit"},
		{"quotes and spaces", "host = db\n keepalives_idle = '60' password='a\\' tcp_user_timeout=3'\n keepalives_count=\\3", `1 the connection to db: idle=60s,count=3`},
		{"seconds for milliseconds", `host=db tcp_user_timeout=15`, "1 the connection to db: user-timeout=15ms\n1 unit"},
		{"milliseconds for seconds", `host=db keepalives_idle=30000 keepalives_interval=5000`, "1 the connection to db: idle=30000s,interval=5000s\n1 unit\n1 unit"},
		{"off with times", `host=db keepalives=0 keepalives_idle=60`, "1 the connection to db: off\n1 off"},
		{"off with times that are never set", `host=db keepalives=0 keepalives_idle=99999`, "1 the connection to db: off\n1 off"},
		{"0, which the kernel refuses", `host=db keepalives_idle=0 keepalives_count=-1`, "1 the connection to db: on\n1 refused\n1 refused"},
		{"a unit", `host=db keepalives_idle=60s keepalives=yes`, "1 the connection to db: on\n1 refused\n1 refused"},
		{"out of range", `host=db keepalives_idle=32768 keepalives_count=128`, "1 the connection to db: on\n1 refused\n1 refused"},
		{"mistyped", `host=db keepalive_idle=60 keepalives_idel=60`, "1 the connection to db: on\n1 unknown word\n1 unknown word"},
		{"a Unix socket", `host=/run/postgresql keepalives_idle=60`, "1 the connection to /run/postgresql: idle=60s\n1 ignored"},
		{"variables", `host=db keepalives_idle=$IDLE tcp_user_timeout={{.ut}}`, "1 the connection to db: on\n1 unread\n1 unread"},
		{"twice", `host=db keepalives_idle=60 keepalives_idle=70`, "1 the connection to db: idle=70s\n1 ignored"},
		{"the user timeout cuts the count", `host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=5 tcp_user_timeout=80000`, "1 the connection to db: idle=60s,interval=10s,count=5,user-timeout=80s\n1 user timeout"},
		{"it ends at the first probe whatever is inherited", `host=db keepalives_idle=60 tcp_user_timeout=30000`, "1 the connection to db: idle=60s,user-timeout=30s\n1 user timeout"},
		{"nothing", `host=db user=x`, ``},
	})
	doc := one(t, "dsn", `host=db tcp_user_timeout=15`, "libpq")
	assert.Equal(t, "tcp_user_timeout=15: a number without a unit is in milliseconds here, so one lost packet can end the connection: if seconds were meant, write 15000", doc.All()[0].Text)
}

func TestServers(t *testing.T) {
	t.Parallel()
	check(t, "postgresql", []row{
		{"units of the parameters", "tcp_keepalives_idle = 60\ntcp_keepalives_interval = 10\ntcp_keepalives_count = 3\ntcp_user_timeout = 90000", `1 connections of clients: idle=60s,interval=10s,count=3,user-timeout=90s`},
		{"units in the values", "TCP_Keepalives_Idle '2 min' # c\ntcp_keepalives_interval = 10s\ntcp_user_timeout = '2.5min'", `1 connections of clients: idle=120s,interval=10s,user-timeout=150s`},
		{"0 is the system's", "tcp_keepalives_idle = 0\ntcp_user_timeout = 0", `1 connections of clients: on`},
		{"seconds for milliseconds", "tcp_user_timeout = 15", "1 connections of clients: user-timeout=15ms\n1 unit"},
		{"milliseconds for seconds", "tcp_keepalives_idle = 60000\ntcp_keepalives_interval = 10000ms", "1 connections of clients: interval=10s\n1 unit"},
		{"rounded to 0", "tcp_keepalives_idle = 100ms", "1 connections of clients: on\n1 refused"},
		{"what the server refuses", "tcp_keepalives_idle = -1\ntcp_keepalives_interval = 60sec\ntcp_keepalives_count = '3s'\ntcp_user_timeout = 3000000000", "1 connections of clients: on\n1 refused\n2 refused\n3 refused\n4 refused"},
		{"what the kernel refuses", "tcp_keepalives_idle = 40001\ntcp_keepalives_count = 200", "1 connections of clients: on\n1 refused\n2 refused"},
		{"mistyped", "tcp_keepalive_idle = 60", "1 unknown word"},
		{"replaced", "tcp_keepalives_idle = 60\ntcp_keepalives_idle = 70", "2 connections of clients: idle=70s\n1 ignored"},
		{"no TCP", "listen_addresses = ''\ntcp_keepalives_idle = 60", "2 connections of clients: idle=60s\n1 ignored"},
		{"a standby", "primary_conninfo = 'host=primary keepalives_idle=60 tcp_user_timeout=15 password=''x'''", "1 the connection to primary: idle=60s,user-timeout=15ms\n1 unit"},
		{"includes", "include_dir 'conf.d'\ninclude_if_exists '/etc/x.conf'\ntcp_keepalives_idle = 60", "3 connections of clients: idle=60s\n1 unread\n2 unread"},
		{"nothing", "shared_buffers = 1GB", ``},
	})
	check(t, "redis", []row{
		{"a third and 3", "tcp-keepalive 300", `1 connections of clients: idle=300s,interval=100s,count=3`},
		{"at least a second", `TCP-KeepAlive "2"`, `1 connections of clients: idle=2s,interval=1s,count=3`},
		{"off", "tcp-keepalive 0", `1 connections of clients: off`},
		{"milliseconds", "tcp-keepalive 300000", "1 connections of clients: on\n1 unit"},
		{"milliseconds that the kernel takes", "tcp-keepalive 30000", "1 connections of clients: idle=30000s,interval=10000s,count=3\n1 unit"},
		{"out of range", "tcp-keepalive 40001", "1 connections of clients: on\n1 refused"},
		{"what redis-server refuses", "tcp-keepalive 5m", "1 connections of clients: on\n1 refused"},
		{"a comment behind it", "tcp-keepalive 60 # s", "1 connections of clients: on\n1 refused"},
		{"mistyped", "tcp-keepaliv 60\ntcp_keepalive 3", "1 unknown word\n2 unknown word"},
		{"the last counts", "tcp-keepalive 60\ntcp-keepalive 70", "2 connections of clients: idle=70s,interval=23s,count=3\n1 ignored"},
		{"no TCP", "port 0\ntcp-keepalive 60", "2 connections of clients: idle=60s,interval=20s,count=3\n1 ignored"},
		{"an include", "include /etc/a.conf\ntcp-keepalive 60", "2 connections of clients: idle=60s,interval=20s,count=3\n1 unread"},
		{"nothing", "port 6379\nmaxmemory 1gb", ``},
	})
	check(t, "systemd", []row{
		{"all", "[Unit]\nDescription=x\n[Socket]\nListenStream=80\nKeepAlive=yes\nKeepAliveTimeSec=1min 30\nKeepAliveIntervalSec=10s\nKeepAliveProbes=3", `5 connections that the socket unit accepts: idle=90s,interval=10s,count=3`},
		{"times without the switch", "[Socket]\nKeepAliveTimeSec=60", "2 connections that the socket unit accepts: off,idle=60s\n2 off"},
		{"switched off", "[Socket]\nKeepAliveTimeSec=60\nKeepAlive=no", "2 connections that the socket unit accepts: off,idle=60s\n2 off"},
		{"milliseconds", "[Socket]\nKeepAlive=1\nKeepAliveTimeSec=60000", "2 connections that the socket unit accepts: on\n3 unit"},
		{"cut off to 0", "[Socket]\nKeepAlive=on\nKeepAliveTimeSec=500ms\nKeepAliveIntervalSec=1.9", "2 connections that the socket unit accepts: interval=1s\n3 refused"},
		{"0 and infinity are the system's", "[Socket]\nKeepAlive=t\nKeepAliveTimeSec=0\nKeepAliveIntervalSec=infinity", `2 connections that the socket unit accepts: on`},
		{"what systemd ignores", "[Socket]\nKeepAlive=maybe\nKeepAliveTimeSec=-1\nKeepAliveIntervalSec=\nKeepAliveProbes=3s", "2 connections that the socket unit accepts: off\n2 refused\n3 refused\n4 refused\n5 refused"},
		{"mistyped", "[Socket]\nKeepAlive=yes\nKeepAliveTime=60\nkeepalivetimesec=5", "2 connections that the socket unit accepts: on\n3 unknown word\n4 unknown word"},
		{"another section", "[Service]\nKeepAlive=yes", "2 connections that the socket unit accepts: off\n2 ignored"},
		{"not TCP", "[Socket]\nListenDatagram=53\nListenStream=/run/x\nKeepAlive=yes", "4 connections that the socket unit accepts: on\n3 ignored"},
		{"continued lines", "[Socket]\nKeepAlive=\\\n# c\n yes\nKeepAliveProbes=3", `2 connections that the socket unit accepts: count=3`},
		{"nothing", "[Socket]\nListenStream=80", ``},
	})
}

func TestSysctls(t *testing.T) {
	t.Parallel()
	check(t, "sysctl", []row{
		{"all", "# c\nnet.ipv4.tcp_keepalive_time = 60\n-net/ipv4/tcp_keepalive_intvl=10\n; c\nnet.ipv4.tcp_keepalive_probes=0x3\nvm.swappiness=1", `2 sockets whose program leaves the times to the system: idle=60s,interval=10s,count=3`},
		{"more than setsockopt takes", "net.ipv4.tcp_keepalive_time = 86400", `1 sockets whose program leaves the times to the system: idle=86400s`},
		{"milliseconds", "net.ipv4.tcp_keepalive_time = 7200000\nnet.ipv4.tcp_keepalive_intvl = 75000", "1 sockets whose program leaves the times to the system: interval=75000s\n1 unit\n2 unit"},
		{"what the kernel refuses", "net.ipv4.tcp_keepalive_time = 60s\nnet.ipv4.tcp_keepalive_probes = 256\nnet.ipv4.tcp_keepalive_intvl = 2147484", "1 refused\n2 refused\n3 refused"},
		{"what it should refuse", "net.ipv4.tcp_keepalive_time = 0\nnet.ipv4.tcp_keepalive_intvl=-1", "1 refused\n2 refused"},
		{"no such sysctl", "net.ipv4.tcp_keepalive_interval = 10\nnet.ipv6.tcp_keepalive_time = 60", "1 unknown word\n2 unknown word"},
		{"variables", "net.ipv4.tcp_keepalive_time = {{ idle }}\nnet.ipv4.tcp_keepalive_intvl=$X", "1 sockets whose program leaves the times to the system: on\n1 unread\n2 unread"},
		{"replaced", "net.ipv4.tcp_keepalive_time = 60\nnet.ipv4.tcp_keepalive_time = 70", "1 sockets whose program leaves the times to the system: idle=70s\n1 ignored"},
		{"nothing", "vm.swappiness = 1", ``},
	})
	const pod = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:%s
      securityContext:
        sysctls:
        - {name: net.ipv4.tcp_keepalive_time, value: %s}
        - name: net.core.somaxconn
          value: "1024"
      containers: [{name: a, image: b}]`
	check(t, "kubernetes", []row{
		{"a template", fmt.Sprintf(pod, "", `"60"`), `9 sockets in deployment api: idle=60s`},
		{"a number", fmt.Sprintf(pod, "", `60`), "9 sockets in deployment api: idle=60s\n9 refused"},
		{"milliseconds", fmt.Sprintf(pod, "", `"60000"`), "9 sockets in deployment api: idle=60000s\n9 unit"},
		{"the node's network", fmt.Sprintf(pod, "\n      hostNetwork: true", `"60"`), "10 sockets in deployment api: idle=60s\n10 refused"},
		{"of a container", "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: b\n    securityContext:\n      sysctls: [{name: net.ipv4.tcp_keepalive_time, value: \"60\"}]", "7 ignored"},
		{"several objects", "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: &s {securityContext: {sysctls: [{name: net.ipv4.tcp_keepalive_time, value: \"60\"}]}}\n---\nkind: List\napiVersion: v1\nitems:\n- {kind: Pod, metadata: {name: b}, spec: {securityContext: {sysctls: [{name: net.ipv4.tcp_keepalive_intvl, value: \"5\"}]}}}", "4 sockets in pod a: idle=60s\n9 sockets in pod b: interval=5s"},
		{"JSON", "{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"a\"},\n\t\"spec\": {\"securityContext\": {\"sysctls\": [\n\t{\"name\": \"net.ipv4.tcp_keepalive_time\", \"value\": \"60000\"}]}}}", "2 sockets in pod a: idle=60000s\n3 unit"},
		{"nothing", "kind: Pod\napiVersion: v1\nspec: {containers: [{image: b}]}", ``},
		{"Istio", "kind: DestinationRule\napiVersion: networking.istio.io/v1\nmetadata: {name: d}\nspec:\n  trafficPolicy:\n    connectionPool:\n      tcp:\n        tcpKeepalive: {time: 60s, interval: 10s, probes: 3}", `8 connections of destinationrule d: idle=60s,interval=10s,count=3`},
		{"Istio without a unit", "kind: DestinationRule\napiVersion: networking.istio.io/v1\nmetadata: {name: d}\nspec: {trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {time: 60}}}}}", "4 connections of destinationrule d: on\n4 refused"},
		{"EnvoyFilter", "kind: EnvoyFilter\napiVersion: networking.istio.io/v1alpha3\nspec:\n  configPatches:\n  - applyTo: LISTENER\n    patch:\n      operation: MERGE\n      value:\n        socket_options:\n        - {level: 1, name: 9, int_value: 1}\n        - {level: 6, name: 4, int_value: 60}", `9 connections of clients of listener: idle=60s`},
	})
	check(t, "compose", []row{
		{"a mapping", "services:\n  a:\n    sysctls:\n      net.ipv4.tcp_keepalive_time: 60\n  b: {image: x}", `4 sockets in service a: idle=60s`},
		{"a list", "services:\n  a:\n    sysctls:\n    - net.ipv4.tcp_keepalive_time=60\n    - net.ipv4.tcp_keepalive_probes=3", `4 sockets in service a: idle=60s,count=3`},
		{"variables", "services:\n  a:\n    sysctls:\n    - net.ipv4.tcp_keepalive_time=${KA:-60}", "4 sockets in service a: on\n4 unread"},
		{"an anchor", "x-s: &s\n  sysctls: {net.ipv4.tcp_keepalive_time: 60}\nservices:\n  a:\n    <<: *s\n    image: x", `2 sockets in service a: idle=60s`},
		{"the host's network", "services:\n  a:\n    network_mode: host\n    sysctls: [net.ipv4.tcp_keepalive_time=60]", "4 sockets in service a: idle=60s\n4 refused"},
		{"another file", "include: [b.yaml]\nservices:\n  a:\n    extends: {service: b}\n    sysctls: [net.ipv4.tcp_keepalive_time=60]", "5 sockets in service a: idle=60s\n1 unread\n4 unread"},
		{"nothing", "services: {a: {image: x}}", ``},
	})
	check(t, "docker", []row{
		{"both forms", "docker run -d --rm --name x --sysctl net.ipv4.tcp_keepalive_time=60 \\\n  --sysctl=net.ipv4.tcp_keepalive_probes=3 -p 80:80 nginx -g 'daemon off;'", `1 sockets in a container of nginx: idle=60s,count=3`},
		{"behind the image", "$ docker run -it --sysctl net.ipv4.tcp_keepalive_time=60 nginx --sysctl net.ipv4.tcp_keepalive_intvl=3", "1 sockets in a container of nginx: idle=60s\n1 ignored"},
		{"the host's network", "set -e\nsudo podman run --net host --sysctl \"net.ipv4.tcp_keepalive_time=60\" x; true", "2 sockets in a container of x: idle=60s\n2 refused"},
		{"milliseconds", "docker create --sysctl net.ipv4.tcp_keepalive_time=60000 x", "1 sockets in a container of x: idle=60000s\n1 unit"},
		{"nothing", "docker run nginx", ``},
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

func TestSSH(t *testing.T) {
	t.Parallel()
	check(t, "ssh", []row{
		{"a heartbeat", "Host *\n ServerAliveInterval 1m30s\n ServerAliveCountMax=3", `2 all connections: on heartbeat 1m30s`},
		{"keepalive alone", "TCPKeepAlive yes", `1 all connections: on`},
		{"off", "TCPKeepAlive no", `1 all connections: off`},
		{"one host", "Host db\n ServerAliveInterval 30\nHost *\n TCPKeepAlive no", "4 all connections: off\n2 connections of Host db: off heartbeat 30s"},
		{"the first counts", "Host *\n ServerAliveInterval 60\nHost db\n ServerAliveInterval 10", "2 all connections: on heartbeat 1m0s\n2 connections of Host db: on heartbeat 1m0s\n4 ignored"},
		{"twice", "ServerAliveInterval 60\nServerAliveInterval 10", "1 all connections: on heartbeat 1m0s\n2 ignored"},
		{"milliseconds", "ServerAliveInterval 60000", "1 all connections: on heartbeat 16h40m0s\n1 unit"},
		{"a count alone", "ServerAliveCountMax 3", "1 all connections: on\n1 ignored"},
		{"the server's", "TCPKeepAlive yes\nClientAliveInterval 60", "1 all connections: on\n2 unknown word"},
		{"mistyped", "TCPKeepAlive yes\nServerAliveIntervall 60\nTCPKeepAlives no", "1 all connections: on\n2 unknown word\n3 unknown word"},
		{"refused", "ServerAliveInterval 1.5\nTCPKeepAlive maybe\nServerAliveCountMax x", "1 all connections: on\n1 refused\n2 refused\n3 refused"},
		{"nothing", "Host a\n User b", ``},
	})
	check(t, "sshd", []row{
		{"a heartbeat", "ClientAliveInterval 60\nClientAliveCountMax 0\nTCPKeepAlive no", `1 all connections: off heartbeat 1m0s`},
		{"a block comes before all others", "ClientAliveInterval 60\nMatch User a\n ClientAliveInterval 10\n TCPKeepAlive no", "1 all connections: on heartbeat 1m0s\n3 connections of Match User a: on heartbeat 10s\n4 refused"},
		{"a block for all comes before what is outside", "ClientAliveInterval 60\nMatch all\n ClientAliveInterval 10", "3 all connections: on heartbeat 10s"},
		{"the client's", "TCPKeepAlive yes\nServerAliveInterval 60", "1 all connections: on\n2 unknown word"},
		{"an include", "Include /etc/ssh/sshd_config.d/*.conf\nTCPKeepAlive yes", "2 all connections: on\n1 unread"},
	})
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

// A file that is included is read where it is included, and not on its own.
func TestIncludes(t *testing.T) {
	t.Parallel()
	text := func(files ...conffile.File) string {
		var all []string
		for _, d := range conffile.Read(files, "") {
			require.NoError(t, d.Err)
			all = append(all, d.File+"\n"+said(d))
		}
		return strings.Join(all, "\n")
	}
	nginx := conffile.File{Name: "/etc/nginx/nginx.conf", Text: "http {\n proxy_socket_keepalive on;\n include conf.d/*.conf;\n}"}
	server := conffile.File{Name: "/etc/nginx/conf.d/a.conf", Text: "server {\n listen 80 so_keepalive=on;\n location / { proxy_pass http://10.0.0.1; }\n}"}
	want := "/etc/nginx/nginx.conf\n2 connections of clients of *:80: on\n3 connections to upstreams of proxy_pass: on"
	assert.Equal(t, want, text(nginx, server))
	assert.Equal(t, want, text(server, nginx), "in any order")
	dump := conffile.File{Name: "-", Text: "# configuration file /etc/nginx/nginx.conf:\n" + nginx.Text + "\n# configuration file /etc/nginx/conf.d/a.conf:\n" + server.Text}
	assert.Equal(t, want, text(dump), "nginx -T")
	assert.Equal(t, "/etc/nginx/nginx.conf\n3 unread", text(nginx), "what is missing may use the switch")

	redis := conffile.File{Name: "redis.conf", Text: "include /etc/redis/local.conf\ntcp-keepalive 60"}
	local := conffile.File{Name: "local.conf", Text: "tcp-keepalive 70"}
	assert.Equal(t, "redis.conf\n2 connections of clients: idle=60s,interval=20s,count=3\n1 ignored", text(redis, local))

	ssh := conffile.File{Name: "/etc/ssh/sshd_config", Text: "Include /etc/ssh/sshd_config.d/*.conf\nClientAliveInterval 10"}
	drop := conffile.File{Name: "/etc/ssh/sshd_config.d/a.conf", Text: "ClientAliveInterval 60"}
	assert.Equal(t, "/etc/ssh/sshd_config\n1 all connections: on heartbeat 1m0s\n2 ignored", text(ssh, drop))

	loop := conffile.File{Name: "redis.conf", Text: "include redis2.conf"}
	back := conffile.File{Name: "redis2.conf", Text: "include redis.conf"}
	docs := conffile.Read([]conffile.File{loop, back}, "redis")
	require.Len(t, docs, 2)
	assert.ErrorContains(t, docs[0].Err, "files that include each other at most 10 deep")
}

func TestRecognised(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"/etc/nginx/nginx.conf", "", "nginx"},
		{"/etc/nginx/sites-enabled/default", "", "nginx"},
		{"-", "http {\n}", "nginx"},
		{"-", "listen 80 so_keepalive=on;", "nginx"},
		{"haproxy.cfg", "", "haproxy"},
		{"-", "frontend web\n  bind :80", "haproxy"},
		{"-", "defaults\n  mode tcp", "haproxy"},
		{"/etc/sysctl.d/60-a.conf", "", "sysctl"},
		{"-", "net.ipv4.tcp_keepalive_time = 60", "sysctl"},
		{"a.socket", "", "systemd"},
		{"-", "[Socket]\nKeepAlive=yes", "systemd"},
		{"/etc/systemd/system/a.socket.d/k.conf", "", "systemd"},
		{"-", "postgres://a/b", "libpq"},
		{"-", "DATABASE_URL=postgresql://a/b", "libpq"},
		{"-", "host=db keepalives_idle=60", "libpq"},
		{"-", "keepalives=1", "libpq"},
		{"postgresql.conf", "", "postgresql"},
		{"-", "tcp_keepalives_idle = 60", "postgresql"},
		{"redis.conf", "", "redis"},
		{"-", "tcp-keepalive 60", "redis"},
		{"/root/.ssh/config", "", "ssh"},
		{"-", "Host *\n  ServerAliveInterval 60", "ssh"},
		{"/etc/ssh/sshd_config", "", "sshd"},
		{"-", "ClientAliveInterval 60", "sshd"},
		{"docker-compose.yml", "services: {}", "compose"},
		{"-", "services:\n  a: {image: b}", "compose"},
		{"a.yaml", "kind: Pod\napiVersion: v1", "kubernetes"},
		{"-", `{"kind": "Pod", "apiVersion": "v1"}`, "kubernetes"},
		{"envoy.yaml", "admin: {}", "envoy"},
		{"-", "static_resources: {}", "envoy"},
		{"-", `{"clusters": [{"upstreamConnectionOptions": {}}]}`, "envoy"},
		{"-", "docker run --sysctl net.ipv4.tcp_keepalive_time=60 x", "docker"},
		{"-", "hello", ""},
		{"-", "TCPKeepAlive yes", ""},
		{"-", "", ""},
		{"-", "Host a\nClientAliveInterval 60", ""},
	} {
		doc := one(t, tt.name, tt.text, "")
		if tt.want == "" {
			var not *conffile.NotRecognisedError
			require.ErrorAs(t, doc.Err, &not, tt.text)
			assert.ErrorContains(t, doc.Err, "--format")
			continue
		}
		assert.Equal(t, tt.want, doc.Format, "%s %q: %v", tt.name, tt.text, doc.Err)
	}
	assert.ErrorContains(t, conffile.CheckFormat("ngnix"), "did you mean nginx?")
	assert.NoError(t, conffile.CheckFormat("ssh"))
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ format, text, want string }{
		{"nginx", "http {\nserver {\n listen 80", "f:3: not nginx: want a ; or { after \"listen 80\""},
		{"nginx", "http {\nserver {\n listen 80;", "f:2: not nginx: want a } for the block of server that starts here"},
		{"nginx", "http { }\n}", "f:2: not nginx: want no } here"},
		{"nginx", "a \"b", "f:1: not nginx: want the end of the quotes"},
		{"haproxy", "bind :80", "f:1: not haproxy: want a section"},
		{"haproxy", "defaults\n log \"x", "f:2: not haproxy: want the end of the quotes"},
		{"libpq", "host=db\nsecret", "f:2: not libpq: want a = after each keyword"},
		{"libpq", "host='secret", "f:1: not libpq: want the end of the quotes around the value of \"host\""},
		{"libpq", "postgres://h/?secret", "f:1: not libpq: want name=value in the query"},
		{"postgresql", "tcp_keepalives_idle = 1.5min", "f:1: not postgresql: want quotes around 1.5min"},
		{"postgresql", "a = 'b", "f:1: not postgresql: want name = value"},
		{"redis", "\ntcp-keepalive \"60", "f:2: not redis: want balanced quotes"},
		{"sysctl", "net.ipv4.tcp_keepalive_time 60", "f:1: not sysctl: want name = value"},
		{"systemd", "KeepAlive=yes", "f:1: not systemd: want a section"},
		{"systemd", "[Socket]\nKeepAlive", "f:2: not systemd: want [Section] or Key=value"},
		{"kubernetes", "a: b\n c: d", "not kubernetes: want YAML (mapping values are not allowed in this context)"},
		{"kubernetes", "- a", "f:1: not kubernetes: want objects with apiVersion and kind"},
		{"envoy", "{\"a\": 1,\n}", "f:2: not envoy: want JSON"},
		{"compose", "a: b", "f:1: not compose: want services, a mapping"},
		{"docker", "docker run 'a", "f:1: not docker: want the end of the quotes"},
		{"ssh", "Host", "f:1: not ssh: want a keyword and its value"},
		{"ssh2", "", `"ssh2": want one of nginx`},
	} {
		doc := one(t, "f", tt.text, tt.format)
		require.Error(t, doc.Err, tt.text)
		assert.Contains(t, doc.Err.Error(), tt.want)
		assert.NotContains(t, doc.Err.Error(), "secret", "it may be a password")
		assert.False(t, doc.Empty(), "unread is not empty")
	}
}
