package conffile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tcpkeepalive/keepalive/platform"
)

// HAProxy sets the values of clitcpka-* and srvtcpka-* only if option clitcpka or srvtcpka
// is on (session_accept_fd in src/session.c, tcp_connect_server in src/proto_tcp.c), and does
// not look at what setsockopt returns. A value of 0 stands for the system's default. Numbers
// without a unit are seconds there, and milliseconds in timeouts and tcp-ut.
// https://docs.haproxy.org/2.6/configuration.html

const haproxyRefusal = "haproxy does not look at the error, and the system's default stays"

// A side is what a proxy has for clients ("cli") or for servers ("srv").
type side struct {
	on      *origin // the option; nil if it is not there
	enabled bool
	values  map[platform.Option]tick
}

func (s side) clone() side {
	s.values = maps.Clone(s.values)
	return s
}

// An end is a bind or a server, with its user timeout.
type end struct {
	name    string
	timeout *tick
	local   bool // it never leaves the machine
	tcp     bool
}

// A haproxySection is a proxy, or the defaults of proxies.
type haproxySection struct {
	Place
	kind, name    string
	cli, srv      side
	serverTimeout *tick // of default-server
	http          bool
	timeouts      map[string]tick
	binds         []end
	servers       []end
}

func (p *haproxySection) frontend() bool { return p.kind == "frontend" || p.kind == "listen" }

func (p *haproxySection) backend() bool { return p.kind == "backend" || p.kind == "listen" }

// haproxySections are the keywords that start a section, wherever they are in the line.
var haproxySections = []string{
	"global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "userlist", "mailers", "cache", "program",
	"http-errors", "ring", "log-forward", "fcgi-app", "crt-store", "traces", "acme", "log-profile", "crt-list", "dynamic-update",
}

type haproxyReader struct {
	*source
	defaults map[string]*haproxySection
	last     *haproxySection // the last defaults
	current  *haproxySection
	proxies  []*haproxySection
	found    bool
}

func readHAProxy(s *source) error {
	r := &haproxyReader{source: s, defaults: map[string]*haproxySection{}}
	n, known := 0, false
	for text := range strings.Lines(s.Text) {
		n++
		args, err := haproxyWords(text)
		if err != nil {
			return wrong(s.at(n), "%v", err)
		}
		if len(args) == 0 {
			continue
		}
		at := s.at(n)
		switch {
		case slices.Contains(haproxySections, args[0]):
			known = true
			r.section(at, args)
		case strings.HasPrefix(args[0], "."):
			if args[0] == ".if" || args[0] == ".elif" {
				s.remark(at, Unread, "%s: conditions are not evaluated: all branches are taken together", strings.Join(args, " "))
			}
		case !known:
			return wrong(at, "a section such as defaults or frontend before %s", cmp.Or(shown(args[0]), "this"))
		case r.current != nil:
			r.line(at, args)
		}
	}
	r.report()
	return nil
}

// haproxyWords splits a line: a backslash escapes, quotes hold spaces, # ends it.
func haproxyWords(text string) (words []string, err error) {
	var w strings.Builder
	inWord := false
	flush := func() {
		if inWord {
			words = append(words, w.String())
		}
		w.Reset()
		inWord = false
	}
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			inWord = true
			w.WriteByte(text[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			w.WriteByte(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case c == '#':
			flush()
			return words, nil
		case strings.IndexByte(" \t\r\n", c) >= 0:
			flush()
		default:
			inWord = true
			w.WriteByte(c)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the end of the quotes: %c", quote)
	}
	flush()
	return words, nil
}

func (r *haproxyReader) section(at Place, args []string) {
	p := &haproxySection{Place: at, kind: args[0]}
	r.current = nil
	if !slices.Contains([]string{"defaults", "frontend", "backend", "listen"}, p.kind) {
		return
	}
	rest := args[1:]
	if len(rest) > 0 && rest[0] != "from" {
		p.name, rest = rest[0], rest[1:]
	}
	base := r.last
	if p.kind == "defaults" {
		base = nil
	}
	if len(rest) > 1 && rest[0] == "from" {
		base = r.defaults[rest[1]]
	}
	p.cli.values, p.srv.values = map[platform.Option]tick{}, map[platform.Option]tick{}
	p.timeouts = map[string]tick{}
	if base != nil {
		p.cli, p.srv, p.serverTimeout = base.cli.clone(), base.srv.clone(), base.serverTimeout
		p.http, p.timeouts = base.http, maps.Clone(base.timeouts)
	}
	r.current = p
	if p.kind == "defaults" {
		r.last = p
		if p.name != "" {
			r.defaults[p.name] = p
		}
		return
	}
	r.proxies = append(r.proxies, p)
}

func (r *haproxyReader) line(at Place, args []string) {
	p := r.current
	o := origin{at, strings.Join(args, " ")}
	no := args[0] == "no" || args[0] == "default"
	if no {
		args = args[1:]
	}
	if len(args) == 0 {
		return
	}
	switch word := args[0]; {
	case word == "option" && len(args) > 1:
		r.option(p, o, args[1], !no)
	case strings.Contains(word, "tcpka"), nearly(word, haproxyTimes...):
		r.found = true
		if len(args) < 2 {
			r.remark(at, Refused, "%s: want a value: haproxy does not start", o.text)
			return
		}
		r.value(p, o, word, args[1])
	case word == "bind" && len(args) > 1:
		p.binds = append(p.binds, r.end(o, args[1], args[1], args[2:], nil))
	case (word == "server" || word == "server-template") && len(args) > 2:
		rest := args[3:]
		address := args[2]
		if word == "server-template" && len(args) > 3 {
			address, rest = args[3], args[4:]
		}
		p.servers = append(p.servers, r.end(o, args[1], address, rest, p.serverTimeout))
	case word == "default-server":
		p.serverTimeout = r.userTimeout(o, args[1:], p.serverTimeout)
	case word == "mode" && len(args) > 1:
		p.http = args[1] == "http"
	case word == "timeout" && len(args) > 2:
		r.timeout(o, args[1], args[2])
	}
}

// takes reports whether a section has that side; defaults have both.
func (p *haproxySection) takes(side string) bool {
	return p.kind == "defaults" || side == "cli" && p.frontend() || side == "srv" && p.backend()
}

func (r *haproxyReader) end(o origin, name, address string, words []string, inherited *tick) end {
	e := end{name: name, timeout: r.userTimeout(o, words, inherited), tcp: true}
	bare := address[strings.LastIndexByte(address, '@')+1:]
	switch {
	case strings.HasPrefix(address, "/"), strings.HasPrefix(address, "unix@"), strings.HasPrefix(address, "abns@"),
		strings.HasPrefix(address, "quic"), strings.HasPrefix(address, "sockpair@"):
		e.tcp, e.local = false, true
		if e.timeout != nil && e.timeout.Place == o.Place {
			r.remark(o.Place, Ignored, "%s: %s is not TCP, which alone has a user timeout", e.timeout.text, address)
		}
	case isLoopback(bare):
		e.local = true
	}
	return e
}
