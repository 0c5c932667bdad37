package conffile

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// nginx sets keepalive on its listening sockets (ngx_configure_listening_sockets in
// src/core/ngx_connection.c), which clients' connections inherit on Linux, and switches it
// on towards upstreams (ngx_event_connect_peer), where it has no times of its own. If the
// kernel refuses a value, it logs an alert and goes on.
// https://nginx.org/en/docs/http/ngx_http_core_module.html#listen
// https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_socket_keepalive

const nginxRefusal = "nginx logs an alert, and the system's default stays"

// Protocols towards upstreams: each has PROTOCOL_pass and PROTOCOL_socket_keepalive.
var nginxProtocols = []string{"proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached"}

// A listening is a listening socket; all servers that name its address share it.
type listening struct {
	*leg
	address  string
	relevant bool // TCP
}

type nginxReader struct {
	*source
	listens   []*listening
	upstreams []*upstream
	servers   map[string][]string // of upstream blocks
	found     bool                // something about keepalive
	switches  []origin            // PROTOCOL_socket_keepalive
	block     string              // "http", "stream" or "mail"
}

func readNginx(s *source) error {
	list, err := s.nginx(0)
	if err != nil {
		return err
	}
	if len(list) > 0 && !hasNginxWord(list) {
		return wrong(list[0].Place, "directives of nginx, and this file has none")
	}
	r := &nginxReader{source: s, block: "http", servers: map[string][]string{}}
	r.collect(list)
	if i := slices.IndexFunc(list, func(d directive) bool { return d.name() == "listen" }); i >= 0 { // a part of a server
		r.server(directive{Place: list[i].Place, args: []string{"server"}, block: list}, map[string]origin{})
	}
	r.walk(list, map[string]origin{})
	r.report()
	return nil
}

// nginxWords are the directives of the core, and the beginnings of those of modules. Modules of
// others have more, so an unknown one is passed over unless it is nearly one of keepalive.
var nginxWords = pattern(`^(http|stream|mail|server|events|upstream|location|map|geo|if|set|return|rewrite|break|listen|include|user|pid|daemon|env|load_module|root|alias|index|try_files|internal|allow|deny|types|default_type|sendfile\w*|tcp_no\w+|aio|etag|expires|gunzip|resolver\w*|satisfy|protocol|timeout|zone|hash|ip_hash|least_conn|random|state|sub_\w+|[a-z0-9]+_(pass|timeout|zone|size|log|name|conn|header)|(worker|accept|access|add|ancient|auth|autoindex|charset|chunked|client|connection|dav|debug|directio|disable|error|fastcgi|flv|grpc|gzip|http2|http3|if|ignore|image|imap|js|keepalive|large|limit|lingering|log|map|master|max|mcp|memcached|merge|min|mirror|mp4|msie|multi|open|output|override|perl|pop3|port|postpone|preread|proxy|quic|random|read|real|recursive|referer|request|reset|scgi|secure|send|server|set|slice|smtp|split|ssi|ssl|starttls|status|stub|subrequest|thread|timer|underscores|uninitialized|use|userid|uwsgi|valid|variables|xclient|xml|xslt|zone)_\w+|use|tcp_\w+)$`)

func hasNginxWord(list []directive) bool {
	return slices.ContainsFunc(list, func(d directive) bool { return nginxWords().MatchString(d.name()) || hasNginxWord(d.block) })
}

// nginxKeepalive are the directives with keepalive in their name.
var nginxKeepalive = func() []string {
	names := []string{"keepalive", "keepalive_timeout", "keepalive_requests", "keepalive_time", "keepalive_disable", "keepalive_min_timeout"}
	for _, p := range nginxProtocols {
		names = append(names, p+"_socket_keepalive")
	}
	return names
}()

// typo finds directives that are nearly those of keepalive.
func (r *nginxReader) typo(d directive) {
	name := d.name()
	if slices.Contains(nginxKeepalive, name) || !strings.Contains(name, "keepalive") && !nearly(name, nginxKeepalive[len(nginxKeepalive)-len(nginxProtocols):]...) {
		return
	}
	r.found = true
	r.remark(d.Place, UnknownWord, "%s: nginx has no such directive and does not start%s", d.text(), alike.Question(alike.Nearest(name, nginxKeepalive)))
}

// walk looks at one block; outer has the directives that the blocks around it have set.
func (r *nginxReader) walk(list []directive, outer map[string]origin) {
	set := map[string]origin{}
	for k, v := range outer {
		set[k] = v
	}
	for _, d := range list {
		r.typo(d)
		switch name := d.name(); {
		case strings.HasSuffix(name, "_socket_keepalive") && slices.Contains(nginxProtocols, strings.TrimSuffix(name, "_socket_keepalive")):
			r.found = true
			o := origin{d.Place, d.text()}
			if d.arg(1) != "on" && d.arg(1) != "off" {
				r.remark(d.Place, Refused, "%s: want on or off: nginx does not start", o.text)
			}
			set[name] = o
			r.switches = append(r.switches, o)
		case name == "keepalive_timeout", name == "proxy_timeout":
			r.found = true
			r.keepalive(d)
		}
		if isNginxTimeout(d.name()) {
			set[d.name()] = origin{d.Place, d.text()}
		}
	}
	for _, d := range list {
		outside := r.block
		switch name := d.name(); name {
		case "server":
			if d.block != nil {
				r.server(d, set)
			}
		case "http", "stream", "mail":
			r.block = name
		}
		for _, p := range nginxProtocols {
			if d.name() == p+"_pass" {
				r.pass(d, p, set)
			}
		}
		r.walk(d.block, set)
		r.block = outside
	}
}

// keepalive looks at how long nginx itself keeps a silent connection: numbers without a
// unit are seconds.
func (r *nginxReader) keepalive(d directive) {
	o := origin{d.Place, d.text()}
	r.remark(d.Place, Note, "%s: nginx itself closes a connection that is idle for so long, and probes do not put that off", o.text)
	if n, err := strconv.ParseInt(d.arg(1), 10, 64); err == nil && n >= longIdle && n%1000 == 0 {
		r.remark(d.Place, Unit, "%s", tooManySeconds(n, o.text))
	}
}

// server looks at the sockets of a server; outer is what the blocks around it have set.
func (r *nginxReader) server(d directive, outer map[string]origin) {
	set := maps.Clone(outer)
	for _, in := range d.block {
		if isNginxTimeout(in.name()) {
			set[in.name()] = origin{in.Place, in.text()}
		}
	}
	closing := r.clientsClosing(set)
	any := false
	for _, in := range d.block {
		if in.name() == "listen" {
			any = true
			if l := r.listen(in); l != nil {
				l.closes(closing)
			}
		}
	}
	if !any && r.block == "http" {
		r.listening("*:80", d.Place).closes(closing)
	}
}

func (r *nginxReader) listening(address string, at Place) *listening {
	for _, l := range r.listens {
		if l.address == address {
			return l
		}
	}
	l := &listening{accepted(at, "nginx", "connections of clients of "+address, nginxRefusal), address, true}
	l.noUserTimeout = true
	l.turn(off, origin{})
	r.listens = append(r.listens, l)
	return l
}

func (r *nginxReader) listen(d directive) *listening {
	address := d.arg(1)
	switch {
	case address == "":
		return nil // nginx refuses it
	case strings.Trim(address, "0123456789") == "":
		address = "*:" + address
	case strings.HasPrefix(address, "unix:"):
	case !strings.Contains(address[strings.LastIndexByte(address, ']')+1:], ":"):
		address += ":80"
	}
	l := r.listening(address, d.Place)
	l.relevant = !strings.HasPrefix(address, "unix:") && !slices.Contains(d.args, "udp") && !slices.Contains(d.args, "quic")
	for _, arg := range d.args[2:] {
		value, ok := strings.CutPrefix(arg, "so_keepalive=")
		if name, _, _ := strings.Cut(arg, "="); !ok && (strings.Contains(name, "keepalive") || nearly(name, "so_keepalive")) {
			r.found = true
			r.remark(d.Place, UnknownWord, "%s: listen has no such parameter and nginx does not start; did you mean so_keepalive=on?", arg)
		}
		if !ok {
			continue
		}
		r.found = true
		if !l.relevant {
			r.remark(d.Place, Ignored, "%s: %s is not TCP, which alone has keepalive", arg, address)
			continue
		}
		r.soKeepalive(l.leg, origin{d.Place, arg}, value)
	}
	return l
}

func (r *nginxReader) soKeepalive(l *leg, o origin, value string) {
	switch value {
	case "off":
		l.turn(off, o)
		return
	case "on":
		l.turn(on, o)
		return
	}
	parts := append(strings.SplitN(value, ":", 3), "", "")
	count, _ := strconv.ParseInt(parts[2], 10, 64) // 0 if it is not there
	if count > math.MaxInt32 {                     // which nginx takes, and the kernel does not
		value = parts[0] + ":" + parts[1] + ":1"
	}
	cfg, err := sockopt.Parse(value) // which reads these forms as nginx does
	if err != nil || strings.ContainsAny(value, "=,") {
		l.remark(o.Place, Refused, "%s: want on, off or idle:interval:count with whole seconds, as in 30m::10: nginx does not start", o.text)
		return
	}
	l.turn(on, o)
	for i, option := range []platform.Option{platform.Idle, platform.Interval, platform.Count} {
		n := []int64{int64(cfg.Idle / time.Second), int64(cfg.Interval / time.Second), count}[i]
		if n > 0 {
			l.set(option, n, strings.Trim(parts[i], "0123456789") == "", o)
		}
	}
}

func (r *nginxReader) report() {
	var all, clients, passed []*leg // those that never leave the machine are in all only
	for _, l := range r.listens {
		if !l.relevant {
			continue
		}
		if !isLoopback(l.address) {
			clients = append(clients, l.leg)
		}
		all = append(all, l.leg)
	}
	for _, u := range r.upstreams {
		name := fmt.Sprintf("connections to upstreams of %s_pass", u.protocol)
		if len(u.at) > 1 {
			lines := make([]string, len(u.at))
			for i, p := range u.at {
				lines[i] = strconv.Itoa(p.Line)
			}
			name += " (lines " + strings.Join(slices.Compact(lines), ", ") + ")"
		}
		l := newLeg(u.at[0], "nginx", name, nginxRefusal)
		l.noUserTimeout = true
		l.closes(u.closing)
		switch {
		case u.on == nil:
			l.turn(off, origin{})
		case u.enabled:
			l.turn(on, *u.on)
		default:
			l.turn(off, *u.on)
		}
		if !u.loopback {
			passed = append(passed, l)
		}
		all = append(all, l)
	}
	r.unused()
	r.oneLeg(clients, passed)
	for _, l := range all {
		l.Implied = !r.found
		r.add(l)
	}
}
