package syntax

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/ends"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// nodeConfig is what Node.js makes of an initial delay: libuv sets an interval of 1 s and
// a count of 10 (https://nodejs.org/api/net.html#socketsetkeepaliveenable-initialdelay).
func nodeConfig(seconds int64) sockopt.Config {
	return sockopt.Config{Idle: time.Duration(seconds) * time.Second, Interval: time.Second, Count: 10}
}

// nodeDelay is the initial delay in milliseconds, and what to know about it.
func (p Plan) nodeDelay() (int64, []string) {
	value, _ := p.longest(nodeConfig)
	return value * 1000, []string{p.difference("Node.js probes every second, ten times, and takes other values only since 26.4 (interval and count in the options of setKeepAlive)", nodeConfig(value))}
}

// nodeSides are also those of mysql2.
func nodeSides(p Plan) []side {
	value, _ := p.longest(nodeConfig)
	return []side{sideWith("its connections", nodeConfig(value))}
}

// node: https://nodejs.org/api/http.html, of Agent and Server. headersTimeout must not be
// shorter than keepAliveTimeout, because older releases counted it from the end of the
// last request (https://github.com/nodejs/node/issues/27363).
func node(p Plan) (string, []string) {
	delay, notes := p.nodeDelay()
	var b strings.Builder
	fmt.Fprintln(&b, "const http = require('node:http');")
	fmt.Fprintln(&b, "\n// A socket of node:net.")
	fmt.Fprintf(&b, "const keepAlive = (socket) => socket.setKeepAlive(true, %d);\n", delay)
	fmt.Fprintln(&b, "\n// A client.")
	fmt.Fprint(&b, "const agent = new http.Agent({\n  keepAlive: true,\n")
	fmt.Fprintf(&b, "  keepAliveMsecs: %d,\n", delay)
	if s, ok := p.client(); ok {
		fmt.Fprintf(&b, "  timeout: %d,\n", s*1000)
		notes = append(notes, fmt.Sprintf("fetch has an agent of its own: new (require('undici').Agent)({ keepAliveTimeout: %d })", s*1000))
	}
	fmt.Fprintln(&b, "});")
	fmt.Fprintln(&b, "\n// A server.")
	fmt.Fprintf(&b, "const server = http.createServer({ keepAlive: true, keepAliveInitialDelay: %d });\n", delay)
	if s, ok := p.server(); ok {
		fmt.Fprintf(&b, "server.keepAliveTimeout = %d;\n", s*1000)
		fmt.Fprintf(&b, "server.headersTimeout = %d;\n", (s+1)*1000)
	} else if e, _ := ends.Of(p.Request); !e.HTTP {
		fmt.Fprintln(&b, "server.keepAliveTimeout = 0; // Never: its default is 5 s.")
	}
	return b.String(), notes
}

// java: https://docs.oracle.com/en/java/javase/17/docs/api/jdk.net/jdk/net/ExtendedSocketOptions.html,
// https://docs.oracle.com/en/java/javase/21/docs/api/java.net.http/module-summary.html,
// and, for HttpURLConnection, https://bugs.openjdk.org/browse/JDK-8278067.
func java(p Plan) (string, []string) {
	var b strings.Builder
	fmt.Fprintln(&b, "socket.setOption(java.net.StandardSocketOptions.SO_KEEPALIVE, true);")
	for _, o := range []struct {
		name  string
		value int64
	}{{"TCP_KEEPIDLE", p.idle()}, {"TCP_KEEPINTERVAL", p.interval()}, {"TCP_KEEPCOUNT", int64(p.count())}} {
		fmt.Fprintf(&b, "socket.setOption(jdk.net.ExtendedSocketOptions.%s, %d);\n", o.name, o.value)
	}
	notes := []string{"the options exist since Java 11, on Linux and macOS"}
	if s, ok := p.client(); ok {
		fmt.Fprintln(&b, "\n// The client's end of the path, before the first request: java.net.http.HttpClient,")
		fmt.Fprintln(&b, "// and HttpURLConnection where the server does not say how long.")
		fmt.Fprintf(&b, "System.setProperty(\"jdk.httpclient.keepalive.timeout\", \"%d\");\n", s)
		fmt.Fprintf(&b, "System.setProperty(\"http.keepAlive.time.server\", \"%d\");\n", s)
		notes = append(notes, fmt.Sprintf("Apache HttpClient 5 (not checked here): HttpClients.custom().evictIdleConnections(TimeValue.ofSeconds(%d))", s))
	}
	if s, ok := p.server(); ok {
		notes = append(notes, fmt.Sprintf("servers (not checked here): Tomcat has keepAliveTimeout=\"%d\" in its Connector, Spring Boot server.tomcat.keep-alive-timeout=%ds, Jetty jetty.http.idleTimeout=%[1]d", s*1000, s))
	}
	return b.String(), notes
}

// python: https://docs.python.org/3/library/socket.html, whose constants are those that
// the system has.
func python(p Plan) (string, []string) {
	var b strings.Builder
	fmt.Fprintln(&b, "import socket")
	fmt.Fprintln(&b, "\nKEEPALIVE = [")
	fmt.Fprintln(&b, "    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),")
	option := func(name string, value int64) {
		fmt.Fprintf(&b, "    (socket.IPPROTO_TCP, socket.%s, %d),\n", name, value)
	}
	option("TCP_KEEPIDLE", p.idle())
	option("TCP_KEEPINTVL", p.interval())
	option("TCP_KEEPCNT", int64(p.count()))
	option("TCP_USER_TIMEOUT", p.userTimeout())
	fmt.Fprintln(&b, "]")
	fmt.Fprint(&b, "\n\ndef keepalive(sock):\n    for option in KEEPALIVE:\n        sock.setsockopt(*option)\n")
	notes := []string{"the names are those of Linux; KEEPALIVE also is the socket_options of urllib3.PoolManager and httpx.HTTPTransport"}
	if s, ok := p.client(); ok {
		fmt.Fprintln(&b, "\n\n# The client's end of the path: httpx.Limits(keepalive_expiry=IDLE) and")
		fmt.Fprintln(&b, "# aiohttp.TCPConnector(keepalive_timeout=IDLE).")
		fmt.Fprintf(&b, "IDLE = %d\n", s)
		notes = append(notes, "requests and urllib3 have no idle time of connections: send requests that may be repeated, or use a Session for less than that time")
	}
	if _, ok := p.server(); ok {
		notes = append(notes, "for servers see --as gunicorn and --as uvicorn")
	}
	return b.String(), notes
}

// rust: https://docs.rs/socket2/latest/socket2/struct.TcpKeepalive.html and
// https://docs.rs/reqwest/latest/reqwest/struct.ClientBuilder.html#method.pool_idle_timeout
func rust(p Plan) (string, []string) {
	var b strings.Builder
	fmt.Fprintln(&b, "use std::time::Duration;")
	fmt.Fprintln(&b, "\nlet keepalive = socket2::TcpKeepalive::new()")
	fmt.Fprintf(&b, "    .with_time(Duration::from_secs(%d))\n", p.idle())
	fmt.Fprintf(&b, "    .with_interval(Duration::from_secs(%d))\n", p.interval())
	fmt.Fprintf(&b, "    .with_retries(%d);\n", p.count())
	fmt.Fprintln(&b, "let socket = socket2::SockRef::from(&stream);")
	fmt.Fprintln(&b, "socket.set_tcp_keepalive(&keepalive)?;")
	if ms := p.userTimeout(); ms > 0 {
		fmt.Fprintf(&b, "socket.set_tcp_user_timeout(Some(Duration::from_millis(%d)))?;\n", ms)
	} else {
		fmt.Fprintln(&b, "socket.set_tcp_user_timeout(None)?;")
	}
	if s, ok := p.client(); ok {
		fmt.Fprintln(&b, "\n// The client's end of the path.")
		fmt.Fprintf(&b, "let client = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(%d)).build()?;\n", s)
	}
	notes := []string{`with_retries and set_tcp_user_timeout need socket2 = { features = ["all"] }`}
	if s, ok := p.server(); ok {
		notes = append(notes, fmt.Sprintf("servers: actix-web has HttpServer::keep_alive(Duration::from_secs(%d)), and 5 s by default", s))
	}
	return b.String(), notes
}

// gunicorn: https://docs.gunicorn.org/en/stable/settings.html#keepalive. Its sockets
// have no SO_KEEPALIVE (gunicorn/sock.py), and so no sysctl reaches them.
func gunicorn(p Plan) (string, []string) {
	s, ok := p.server()
	if !ok {
		return "", nil
	}
	return fmt.Sprintf("keepalive = %d\n", s), []string{
		"the server's end of the path; the sync worker, which is the default, keeps no connection at all: use gthread or another",
	}
}

// uvicorn: https://www.uvicorn.org/settings/#timeouts
func uvicorn(p Plan) (string, []string) {
	s, ok := p.server()
	if !ok {
		return "", nil
	}
	return fmt.Sprintf("uvicorn --timeout-keep-alive %d APP\n", s), []string{"the server's end of the path"}
}
