package syntax

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// nginx: https://nginx.org/en/docs/http/ngx_http_core_module.html#listen, and
// #keepalive_timeout there and in ngx_http_upstream_module.html.
func nginx(p Plan) (string, []string) {
	listen := fmt.Sprintf("server {\n    listen 80 so_keepalive=%ds:%ds:%d;\n", p.idle(), p.interval(), p.count())
	notes := []string{"so_keepalive is for clients; towards upstreams proxy_socket_keepalive on; takes the system's defaults, see --as sysctl"}
	client, hasClient := p.client()
	server, hasServer := p.server()
	if !hasClient && !hasServer {
		return listen + "}\n", append(notes, "nginx itself closes idle connections after keepalive_timeout (75 s by default), which probes do not put off, and which cannot be never")
	}
	var b strings.Builder
	b.WriteString("upstream servers {\n    server 192.0.2.1:8080;\n    keepalive 32;\n")
	if hasClient {
		fmt.Fprintf(&b, "    keepalive_timeout %ds; # at the client's end of the path\n", client)
	}
	b.WriteString("}\n" + listen)
	if hasServer {
		fmt.Fprintf(&b, "    keepalive_timeout %ds; # at the server's end of the path\n", server)
	}
	b.WriteString("    location / {\n        proxy_pass http://servers;\n        proxy_http_version 1.1;\n        proxy_set_header Connection \"\";\n    }\n}\n")
	return b.String(), notes
}

// nginxSides: the text for HTTP passes requests on, without keepalive.
func nginxSides(p Plan) []side {
	its := sockopt.Config{Idle: seconds(p.idle()), Interval: seconds(p.interval()), Count: p.count()}
	clients := sideWith("its connections", its).accepted().closing(nginxCloses(p))
	if _, ok := p.server(); !ok {
		return []side{clients}
	}
	clients.Name = "connections of clients"
	return []side{clients, sideWith("connections to servers", sockopt.Config{Disabled: true})}
}

// nginxCloses: 0 would close a connection after its first response, and no value is never.
func nginxCloses(p Plan) conffile.Closing {
	if s, ok := p.server(); ok {
		return conffile.Closing{After: seconds(s), By: "nginx", Text: fmt.Sprintf("keepalive_timeout %ds: the pause between two requests", s), Pause: true}
	}
	return conffile.Closing{After: 75 * time.Second, By: "nginx", Text: "keepalive_timeout, nginx's default: the pause between two requests", Pause: true}
}

// haproxy: https://docs.haproxy.org/3.0/configuration.html (since 2.2)
func haproxy(p Plan) (string, []string) {
	var b strings.Builder
	userTimeout := ""
	if ms := p.userTimeout(); ms > 0 {
		userTimeout = fmt.Sprintf(" tcp-ut %dms", ms)
	}
	notes := []string{"haproxy itself closes idle connections after timeout client, timeout server and timeout tunnel, which probes do not put off"}
	for _, side := range []struct{ section, prefix, line string }{
		{"frontend clients", "cli", "bind :8080" + userTimeout},
		{"backend servers", "srv", "server server1 192.0.2.1:8080" + userTimeout},
	} {
		fmt.Fprintf(&b, "%s\n", side.section)
		fmt.Fprintf(&b, "    option %stcpka\n", side.prefix)
		fmt.Fprintf(&b, "    %stcpka-idle %ds\n", side.prefix, p.idle())
		fmt.Fprintf(&b, "    %stcpka-intvl %ds\n", side.prefix, p.interval())
		fmt.Fprintf(&b, "    %stcpka-cnt %d\n", side.prefix, p.count())
		if s, ok := p.server(); ok && side.prefix == "cli" {
			fmt.Fprintf(&b, "    timeout http-keep-alive %ds # at the server's end of the path\n", s)
		}
		fmt.Fprintf(&b, "    %s\n", side.line)
	}
	if s, ok := p.client(); ok {
		notes = append(notes, fmt.Sprintf("haproxy cannot limit for how long a connection to a server is idle (%d s at the client's end of the path): pool-purge-delay of the server (5 s by default) closes half of the idle ones each time", s))
	}
	return b.String(), notes
}

// ingressNginx: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/.
// Its template (rootfs/etc/nginx/template/nginx.tmpl) writes listen without so_keepalive.
func ingressNginx(p Plan) (string, []string) {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ingress-nginx-controller\n  namespace: ingress-nginx\ndata:\n")
	if s, ok := p.server(); ok {
		fmt.Fprintf(&b, "  keep-alive: \"%d\" # at the server's end of the path\n", s)
	}
	if s, ok := p.client(); ok {
		fmt.Fprintf(&b, "  upstream-keepalive-timeout: \"%d\" # at the client's end\n", s)
	}
	b.WriteString("  http-snippet: |\n    proxy_socket_keepalive on;\n")
	return b.String(), []string{
		"ingress-nginx cannot switch keepalive on for clients, because its template has no so_keepalive; towards upstreams the values are those of the pod, see --as kubernetes",
		"no annotation of an Ingress sets any of this",
	}
}

// contourConfig is what Contour gives the connections of clients, without a way to
// change it (internal/envoy/v3/socket_options.go).
var contourConfig = sockopt.Config{Idle: 45 * time.Second, Interval: 5 * time.Second, Count: 9}

func contourSides(Plan) []side {
	return []side{sideWith("connections of clients", contourConfig).accepted()}
}

// contour: https://projectcontour.io/docs/main/configuration/ (timeouts), and
// https://projectcontour.io/docs/main/config/api/ (TimeoutPolicy of an HTTPProxy).
func contour(p Plan) (string, []string) {
	notes := []string{p.fixed("Contour's side towards clients", contourConfig), "towards servers it sets none"}
	s, ok := p.server()
	if !ok {
		return "", notes
	}
	if c, ok := p.client(); ok {
		notes = append(notes, fmt.Sprintf("at the client's end of the path, in each route of an HTTPProxy: timeoutPolicy: {idleConnection: %ds}", c))
	}
	return fmt.Sprintf("timeouts:\n  connection-idle-timeout: %ds # at the server's end of the path\n", s), notes
}

// goConfig is what a program makes of one value for net.Dialer.KeepAlive.
func goConfig(seconds int64) sockopt.Config {
	return sockopt.Config{Idle: time.Duration(seconds) * time.Second, Interval: 15 * time.Second, Count: 9}
}

// What Traefik gives the connections of clients, and those to HTTP servers.
var traefikClients, traefikToHTTP = goConfig(180), goConfig(30)

// traefik: https://doc.traefik.io/traefik/reference/install-configuration/entrypoints/,
// and TCPServersTransport there. The keepalive of clients is in
// pkg/server/server_entrypoint_tcp.go (SetKeepAlivePeriod), that of HTTP servers in
// pkg/server/service/transport.go.
func traefik(p Plan) (string, []string) {
	var b strings.Builder
	notes := []string{p.fixed("Traefik's side towards clients", traefikClients), p.fixed("Its side towards HTTP servers", traefikToHTTP)}
	if s, ok := p.server(); ok {
		b.WriteString("entryPoints:\n  web:\n    address: \":80\"\n    transport:\n      respondingTimeouts:\n")
		fmt.Fprintf(&b, "        idleTimeout: %ds # at the server's end of the path\n", s)
	}
	if s, ok := p.client(); ok {
		b.WriteString("serversTransport:\n  forwardingTimeouts:\n")
		fmt.Fprintf(&b, "    idleConnTimeout: %ds # at the client's end\n", s)
	}
	value, _ := p.longest(goConfig)
	fmt.Fprintf(&b, "tcpServersTransport:\n  dialKeepAlive: %ds\n", value)
	notes = append(notes, "Traefik itself closes idle HTTP connections, after 180 s those of clients and after 90 s those to servers by default, which probes do not put off")
	return b.String(), append(notes, p.difference("dialKeepAlive is for TCP servers, and sets the idle time only", goConfig(value)))
}

func traefikSides(p Plan) []side {
	value, _ := p.longest(goConfig)
	return []side{
		sideWith("connections to TCP servers", goConfig(value)),
		sideWith("connections to HTTP servers", traefikToHTTP).closing(traefikCloses(p, false)),
		sideWith("connections of clients", traefikClients).accepted().closing(traefikCloses(p, true)),
	}
}

// traefikCloses is for HTTP; it forwards TCP without an idle time. 0 is not never: Go then
// takes the time for reading a request, which Traefik limits to 60 s.
func traefikCloses(p Plan, accepted bool) conffile.Closing {
	c := conffile.Closing{After: 90 * time.Second, By: "Traefik", Text: "idleConnTimeout, Traefik's default: HTTP, the pause between two requests", Pause: true}
	s, ok := p.client()
	if accepted {
		c.After, c.Text = 180*time.Second, "idleTimeout, Traefik's default: HTTP, the pause between two requests"
		s, ok = p.server()
	}
	if ok {
		c.After, c.Text = seconds(s), fmt.Sprintf("%ds: HTTP, the pause between two requests", s)
	}
	return c
}

// caddy: https://caddyserver.com/docs/caddyfile/options#keepalive-interval; idle and
// count are of https://github.com/caddyserver/caddy/pull/7298. Towards upstreams:
// https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#keepalive.
func caddy(p Plan) (string, []string) {
	var b strings.Builder
	b.WriteString("{\n\tservers {\n")
	fmt.Fprintf(&b, "\t\tkeepalive_idle %ds\n", p.idle())
	fmt.Fprintf(&b, "\t\tkeepalive_interval %ds\n", p.interval())
	fmt.Fprintf(&b, "\t\tkeepalive_count %d\n", p.count())
	if s, ok := p.server(); ok {
		fmt.Fprintf(&b, "\t\ttimeouts {\n\t\t\tidle %ds # at the server's end of the path\n\t\t}\n", s)
	}
	b.WriteString("\t}\n}\n")
	notes := []string{
		"Caddy itself closes idle connections after idle of timeouts (5 minutes by default), which probes do not put off",
		"keepalive_idle and keepalive_count exist since Caddy 2.11 (not checked here); before, keepalive_interval is all there is",
		"towards upstreams Caddy sets an interval only, by keepalive_interval of reverse_proxy's transport",
	}
	if s, ok := p.client(); ok {
		notes = append(notes, fmt.Sprintf("at the client's end of the path, in reverse_proxy: transport http { keepalive %ds }", s))
	}
	return b.String(), notes
}

// caddyCloses: https://caddyserver.com/docs/caddyfile/options#timeouts. 0 stands for the
// default, and no value for never.
func caddyCloses(p Plan, _ bool) conffile.Closing {
	if s, ok := p.server(); ok {
		return conffile.Closing{After: seconds(s), By: "Caddy", Text: fmt.Sprintf("timeouts idle %ds: the pause between two requests", s), Pause: true}
	}
	return conffile.Closing{After: 5 * time.Minute, By: "Caddy", Text: "timeouts idle, Caddy's default: the pause between two requests", Pause: true}
}
