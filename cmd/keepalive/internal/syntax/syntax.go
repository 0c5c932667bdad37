// Package syntax writes keepalive settings the way other programs want them, and says
// what a program cannot express.
package syntax

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/ends"
	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Format is the syntax of one program.
type Format struct {
	Name, What string
	program    string             // as sentences name it
	sets       platform.OptionSet // which options of a socket it can set to any value
	comment    string             // what begins a comment; "": the syntax has none
	http       bool               // whether it has idle times of HTTP connections
	beats      bool               // it has messages of its own, which notice a dead peer
	unchecked  bool               // no test runs the program, or the parser, that reads this
	// write returns the text, and what one has to know beside what sets implies. Nothing
	// at all means that the program has no setting that would help.
	write func(Plan) (text string, notes []string)
	has   origin // whose connections the text sets
	// sides are the kinds of connections to which the text leads. nil stands for one kind,
	// which has the options of the plan that the program sets, and the system's others.
	sides func(Plan) []side
	// assumption is what the text rests on beside itself, "" if on nothing.
	assumption string
	// closes is after what silence the program itself ends a connection that has the text,
	// one that it accepts or one that it makes; 0 is never. nil stands for never.
	closes func(p Plan, accepted bool) conffile.Closing
}

// The options that programs can set.
const (
	values = 1<<platform.KeepAlive | 1<<platform.Idle | 1<<platform.Interval | 1<<platform.Count
	all    = values | 1<<platform.UserTimeout
	onOff  = 1 << platform.KeepAlive
	idle   = onOff | 1<<platform.Idle
)

// An origin says which connections of a program a text is for.
type origin uint8

const (
	asked    origin = iota // those of the end that the plan is for
	accepted               // those that it accepts
	both                   // as a proxy has them
)

// Formats are all of them.
var Formats = []Format{
	{Name: "go", What: "a sockopt.Config, and net/http", sets: all, comment: "//", http: true, write: golang},
	{Name: "grpc", What: "grpc-go, both ends", sets: all, comment: "//", http: true, write: grpc},
	{Name: "node", What: "Node.js: net and http, both ends", program: "Node.js", sets: idle, comment: "//", http: true, write: node, sides: nodeSides},
	{Name: "java", What: "Java: sockets and HTTP clients", program: "Java", sets: values, comment: "//", http: true, write: java},
	{Name: "python", What: "Python: sockets and HTTP clients", sets: all, comment: "#", http: true, write: python},
	{Name: "rust", What: "Rust: socket2 and reqwest", sets: all, comment: "//", http: true, unchecked: true, write: rust},
	{Name: "gunicorn", What: "gunicorn.conf.py", program: "gunicorn", comment: "#", http: true, has: accepted, write: gunicorn},
	{Name: "uvicorn", What: "uvicorn options", program: "uvicorn", http: true, has: accepted, write: uvicorn},

	{Name: "nginx", What: "listen parameters, idle times", program: "nginx", sets: values, comment: "#", http: true, write: nginx, sides: nginxSides},
	{Name: "haproxy", What: "keywords for both sides", program: "haproxy", sets: all, comment: "#", http: true, has: both, write: haproxy},
	{Name: "envoy", What: "listener and cluster, YAML", program: "envoy", sets: all, comment: "#", http: true, has: both, write: envoy, closes: envoyCloses},
	{Name: "istio", What: "DestinationRule and EnvoyFilter, YAML", program: "Istio", sets: all, comment: "#", http: true, has: both, write: istio, closes: istioCloses},
	{Name: "ingress-nginx", What: "its ConfigMap, YAML", program: "ingress-nginx", sets: onOff, comment: "#", http: true, unchecked: true, write: ingressNginx},
	{Name: "contour", What: "its configuration file, YAML", program: "Contour", comment: "#", http: true, unchecked: true, write: contour, sides: contourSides},
	{Name: "traefik", What: "static configuration, YAML", program: "Traefik", sets: idle, comment: "#", http: true, unchecked: true, write: traefik, sides: traefikSides},
	{Name: "caddy", What: "a Caddyfile", program: "Caddy", sets: values, comment: "#", http: true, has: accepted, write: caddy, closes: caddyCloses},

	{Name: "postgresql", What: "postgresql.conf, the server's side", program: "PostgreSQL", sets: all, comment: "#", has: accepted, write: postgresql},
	{Name: "libpq", What: "a connection URI, the client's side", program: "libpq", sets: all, write: libpq},
	{Name: "psycopg", What: "psycopg, the client's side", program: "psycopg", sets: all, comment: "#", write: psycopg},
	{Name: "pgx", What: "pgx, the client's side", program: "pgx", sets: all, comment: "//", write: pgx},
	{Name: "pgjdbc", What: "properties of the JDBC driver", program: "pgjdbc", sets: onOff, comment: "#", write: pgjdbc},
	{Name: "mariadb", What: "my.cnf, the server's side", program: "mariadbd", sets: values, comment: "#", has: accepted, write: mariadb, closes: mariadbCloses},
	{Name: "go-mysql", What: "go-sql-driver/mysql", program: "go-sql-driver/mysql", sets: all, comment: "//", write: goMySQL},
	{Name: "connectorj", What: "properties of MySQL Connector/J", program: "Connector/J", sets: onOff, comment: "#", unchecked: true, write: connectorJ},
	{Name: "mysql2", What: "mysql2 for Node.js", program: "mysql2", sets: idle, comment: "//", unchecked: true, write: mysql2, sides: nodeSides},
	{Name: "redis", What: "redis.conf", program: "redis-server", sets: idle, comment: "#", write: redis, sides: redisSides},
	{Name: "kafka", What: "properties of clients", program: "a Kafka client", sets: onOff, comment: "#", write: kafka},

	{Name: "ssh", What: "ssh_config, the client's side", program: "ssh", sets: onOff, comment: "#", beats: true, write: ssh, sides: sshSides},
	{Name: "sshd", What: "sshd_config, the server's side", program: "sshd", sets: onOff, comment: "#", beats: true, write: sshd, sides: sshdSides},
	{Name: "openvpn", What: "either side's configuration", program: "OpenVPN", comment: "#", beats: true, write: openvpn, sides: openvpnSides},

	{Name: "sysctl", What: "the system's defaults, sysctl.d", program: "a sysctl", sets: values, comment: "#", write: sysctl, assumption: conffile.SysctlAssumption},
	{Name: "kubernetes", What: "sysctls of a pod, YAML", program: "a sysctl", sets: values, comment: "#", write: kubernetes, assumption: conffile.SysctlAssumption},
	{Name: "systemd", What: "a drop-in for a .socket unit", program: "a .socket unit", sets: values, comment: "#", has: accepted, write: systemd},
	{Name: "docker", What: "docker run options", program: "a sysctl", sets: values, write: docker, assumption: conffile.SysctlAssumption},
	{Name: "compose", What: "sysctls of a service, YAML", program: "a sysctl", sets: values, comment: "#", write: compose, assumption: conffile.SysctlAssumption},
	{Name: "env", What: "environment of LD_PRELOAD=libkeepalive.so", program: "libkeepalive", sets: values, write: env, assumption: preloadAssumption},
}

// Names are those of the Formats.
func Names() []string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}

// Lookup finds a Format. The error suggests those that resemble the name, and lists all if
// there are none.
func Lookup(name string) (Format, error) {
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
	}
	var near []string
	if name != "" {
		near = alike.Nearest(name, Names())
		for _, f := range Formats { // libkeepalive, socket2
			if len(near) < 3 && strings.Contains(strings.ToLower(f.What), strings.ToLower(name)) {
				near = append(near, f.Name)
			}
		}
	}
	if len(near) > 0 {
		return Format{}, fmt.Errorf("no such program%s", alike.Question(near))
	}
	return Format{}, fmt.Errorf("want one of %s", strings.Join(Names(), ", "))
}

// commentWidth is how wide a comment is at most.
const commentWidth = 80

// Write returns the plan in this syntax. What the program cannot express, and what else
// one has to know, are comments in the text, so that they stay with it; where the syntax
// has no comments they are returned as notes.
//
// If the program has nothing that would help on the path of the plan, the error says
// so. It wraps [sockopt.ErrUnknown] if that is so only because a timeout is not known.
func (f Format) Write(p Plan) (text string, notes []string, err error) {
	text, notes = f.write(p)
	if cannot := p.cannot(f); cannot != "" {
		notes = append([]string{cannot}, notes...)
	}
	e, closes := ends.Of(p.Request)
	missing := f.http && closes && e.HTTP && (e.Client == 0 || e.Last.ID != "" && e.Server == 0)
	if text == "" {
		reason := strings.Join(notes, "; ")
		if missing {
			return "", nil, fmt.Errorf("%s: the timeout of %s is %w: give it with --idle-timeout", reason, unknownOf(e), sockopt.ErrUnknown)
		}
		return "", nil, fmt.Errorf("%s; and nothing on the path ends idle HTTP connections: there is nothing to write", reason)
	}
	if missing {
		notes = append(notes, fmt.Sprintf("idle times of HTTP are missing here, because the timeout of %s is not known: give it with --idle-timeout", unknownOf(e)))
	}
	if f.http && e.HTTP && e.Client > 0 && e.Client < time.Second {
		notes = append(notes, fmt.Sprintf("the client's end of the path is not in the text: it has to close idle connections after %s, and this is written in whole seconds", duration.Format(e.Client)))
	}
	if f.unchecked {
		notes = append(notes, "not checked here: this follows the documentation, and was never read by the program itself")
	}
	if f.comment == "" {
		return text, notes, nil
	}
	var b strings.Builder
	for _, n := range notes {
		for line := range strings.Lines(ansi.Wordwrap(n, commentWidth-len(f.comment)-1, "")) {
			fmt.Fprintf(&b, "%s %s\n", f.comment, strings.TrimSpace(line))
		}
	}
	return b.String() + text, nil, nil
}
