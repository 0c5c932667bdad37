package conffile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestImplied: connections of which a file says nothing have values too, the inherited ones
// and the program's own.
func TestImplied(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ rule, format, text, want string }{
		{"the second URI", "libpq", "postgres://a/x?keepalives_idle=60\npostgres://b/x", "2 the connection to b: on"},
		{"a conninfo without settings", "libpq", "host=a dbname=b", "1 the connection to a: on"},
		{"a conninfo a line", "libpq", "host=a,b user=x keepalives_idle=60\nhost=c", "2 the connection to c: on"},
		{"one conninfo of several lines", "libpq", "host=a\nuser=x\nkeepalives_idle=60", ""},
		{"a service without settings", "libpq", "[one]\nhost=a\nkeepalives_idle=60\n[two]\nhost=b", "4 the connection to b: on"},
		{"a string behind another keyword", "libpq", "host=a keepalives_idle=60\nuser=x host=c", "2 the connection to c: on"},
		{"nginx that only listens", "nginx", "server { listen 80; }", "1 connections of clients of *:80: off"},
		{"nginx that passes on", "nginx", "http { server { listen unix:/run/x;\nlocation / { fastcgi_pass 10.0.0.1:9000; } } }", "2 connections to upstreams of fastcgi_pass: off"},
		{"haproxy", "haproxy", "listen a\n bind :80\n server b 10.0.0.1:80", "1 connections of clients of listen a: off; 1 connections to servers of listen a: off"},
		{"Envoy", "envoy", "listeners:\n- name: a\nclusters:\n- name: b", "2 connections of clients of listener a: off; 4 connections to servers of cluster b: off"},
		{"a standby", "postgresql", "tcp_keepalives_idle = 60\nprimary_conninfo = 'host=primary'", "2 the connection to primary: on"},
		{"PostgreSQL", "postgresql", "shared_buffers = 1GB", "1 connections of clients: on"},
		{"PostgreSQL without TCP", "postgresql", "listen_addresses = ''", ""},
		{"redis", "redis", "port 6379", "1 connections of clients: idle=300s,interval=100s,count=3"},
		{"redis without TCP", "redis", "port 0", ""},
		{"redis with TLS alone", "redis", "port 0\ntls-port 6380", "1 connections of clients: idle=300s,interval=100s,count=3"},
		{"systemd", "systemd", "[Socket]\nListenStream=80", "1 connections that the socket unit accepts: off"},
		{"systemd without TCP", "systemd", "[Socket]\nListenStream=/run/x", ""},
		{"one host of ssh", "ssh", "Host a\n ServerAliveInterval 60", "1 all other connections: on"},
		{"ssh", "ssh", "Host a\n User b", "1 all connections: on"},
		{"one user of sshd", "sshd", "Match User a\n ClientAliveInterval 60", "1 all other connections: on"},
		{"docker's second command", "docker", "docker run --sysctl net.ipv4.tcp_keepalive_time=60 nginx\ndocker run redis", "2 sockets in a container of redis: on"},
		{"docker behind other words", "docker", "docker run --sysctl net.ipv4.tcp_keepalive_time=60 nginx\nA=1 sudo -E docker run redis\nssh host docker run -d x || exit 1", "2 sockets in a container of redis: on; 3 sockets in a container of x: on"},
		{"Istio", "kubernetes", "kind: DestinationRule\napiVersion: networking.istio.io/v1\nmetadata: {name: d}\nspec: {host: a}", "1 connections of destinationrule d: off"},
		{"a service of compose", "compose", "services:\n  a:\n    sysctls: {net.ipv4.tcp_keepalive_time: 60}\n  b:\n    image: x\n  c:\n    sysctls: {net.core.somaxconn: 1}", "5 sockets in service b: on; 7 sockets in service c: on"},
		{"a pod", "kubernetes", "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: {containers: [{image: b}]}", "4 sockets in pod a: on"},
		{"a pod with other sysctls", "kubernetes", "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec:\n  containers: [{image: b}]\n  securityContext: {sysctls: [{name: net.core.somaxconn, value: \"1\"}]}", "6 sockets in pod a: on"},
		{"no pod", "kubernetes", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}", ""},
		{"sysctls", "sysctl", "vm.swappiness = 1", "1 sockets whose program leaves the times to the system: on"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			doc := one(t, "f", tt.text, tt.format)
			require.NoError(t, doc.Err)
			var implied []string
			for _, l := range doc.Legs {
				if l.Implied {
					implied = append(implied, fmt.Sprintf("%d %s: %s", l.Line, l.Name, l.Config))
				}
			}
			assert.Equal(t, tt.want, strings.Join(implied, "; "))
			legs := len(doc.Legs)
			doc.LeaveOutImplied()
			assert.Len(t, doc.Legs, legs-len(implied))
		})
	}
}
