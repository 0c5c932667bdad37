package conffile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
)

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

	nothing := conffile.File{Name: "-", Text: "# configuration file /etc/nginx/nginx.conf:\nhttp {\n include /etc/nginx/conf.d/*.conf;\n}"}
	assert.Equal(t, "/etc/nginx/nginx.conf\n", text(nothing), "nginx -T prints all that there is")

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
		{"-", "spec:\n  securityContext:\n    sysctls: []", "kubernetes"},
		{"-", "spec:\n  template:\n    spec:\n      securityContext:\n        sysctls: []", "kubernetes"},
		{"-", "spec:\n  securityContext: {}", ""},
		{"envoy.yaml", "admin: {}", "envoy"},
		{"-", "static_resources: {}", "envoy"},
		{"-", `{"clusters": [{"upstreamConnectionOptions": {}}]}`, "envoy"},
		{"-", "docker run --sysctl net.ipv4.tcp_keepalive_time=60 x", "docker"},
		{"-", "hello", ""},
		{"-", "TCPKeepAlive yes", ""},
		{"-", "Host a\nClientAliveInterval 60", ""},
	} {
		doc := one(t, tt.name, tt.text, "")
		if tt.want == "" {
			assert.ErrorContains(t, doc.Err, "with --format", tt.text)
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
		{"ssh2", "a", `"ssh2": want one of nginx`},
	} {
		doc := one(t, "f", tt.text, tt.format)
		require.Error(t, doc.Err, tt.text)
		assert.Contains(t, doc.Err.Error(), tt.want)
		assert.NotContains(t, doc.Err.Error(), "secret", "it may be a password")
		assert.False(t, doc.Empty(), "unread is not empty")
	}
}

// A part of a server or of a pod has no name of its own.
func TestFragments(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"listen 80 so_keepalive=60s:6s:3;", "1 connections of clients of *:80: idle=60s,interval=6s,count=3"},
		{"listen 80;\nlisten 81 so_keepalive=on;\nlocation / { proxy_pass http://10.0.0.1; proxy_socket_keepalive on; }", "1 connections of clients of *:80: off\n2 connections of clients of *:81: on\n3 connections to upstreams of proxy_pass: on"},
		{"spec:\n  securityContext:\n    sysctls:\n    - name: net.ipv4.tcp_keepalive_time\n      value: \"60\"", "4 sockets in the pod: idle=60s"},
		{"kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec:\n  securityContext:\n    sysctls:\n    - name: net.ipv4.tcp_keepalive_time\n      value: \"60\"", "7 sockets in pod a: idle=60s"},
	} {
		doc := one(t, "-", tt.text, "")
		require.NoError(t, doc.Err)
		assert.Equal(t, tt.want, said(doc), tt.text)
	}
}
