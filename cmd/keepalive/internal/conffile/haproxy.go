package conffile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/platform"
)

// HAProxy sets the values of clitcpka-* and srvtcpka-* only if option clitcpka or srvtcpka
// is on (src/session.c, src/tcp... of 2.6), and does not look at what setsockopt says. A
// value of 0 stands for the system's default. Numbers without a unit are seconds there, and
// milliseconds in timeouts and tcp-ut.
// https://docs.haproxy.org/2.6/configuration.html

const haproxyRefusal = "haproxy does not look at the error, and the system's default stays"

// A side is what a proxy has for clients ("cli") or for servers ("srv").
type side struct {
	on      *origin // the option; nil if it is not there
	enabled bool
	values  map[platform.Option]tick
}

// A tick is a number of HAProxy; bare without a unit.
type tick struct {
	n        int64
	bare     bool
	variable bool
	origin
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
	binds         []end
	servers       []end
}

func (p *haproxySection) frontend() bool { return p.kind == "frontend" || p.kind == "listen" }
func (p *haproxySection) backend() bool  { return p.kind == "backend" || p.kind == "listen" }

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
		case contains(haproxySections, args[0]):
			known = true
			r.section(at, args)
		case strings.HasPrefix(args[0], "."):
			if args[0] == ".if" || args[0] == ".elif" {
				s.remark(at, Unread, "%s: conditions are not evaluated: all branches are taken together", strings.Join(args, " "))
			}
		case !known:
			return wrong(at, "a section such as defaults or frontend before %q", args[0])
		case r.current != nil:
			r.line(at, args)
		}
	}
	if !known && strings.TrimSpace(s.Text) != "" && n > 0 && r.found {
		return wrong(s.at(1), "a section")
	}
	if r.found {
		r.report()
	}
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
	if !contains([]string{"defaults", "frontend", "backend", "listen"}, p.kind) {
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
	if base != nil {
		p.cli, p.srv, p.serverTimeout = base.cli.clone(), base.srv.clone(), base.serverTimeout
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

// haproxyOptions are what *tcpka-* set.
var haproxyOptions = map[string]platform.Option{"idle": platform.Idle, "intvl": platform.Interval, "cnt": platform.Count}

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
	case strings.Contains(word, "tcpka"):
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
	case word == "timeout" && len(args) > 2:
		r.timeout(o, args[1], args[2])
	}
}

func (r *haproxyReader) option(p *haproxySection, o origin, name string, enabled bool) {
	cli, srv := name == "clitcpka" || name == "tcpka", name == "srvtcpka" || name == "tcpka"
	if !cli && !srv {
		if strings.Contains(name, "tcpka") || alike.Mistyped(name, "tcpka") || alike.Mistyped(name, "clitcpka") || alike.Mistyped(name, "srvtcpka") {
			r.found = true
			r.remark(o.Place, UnknownWord, "%s: haproxy has no such option and does not start%s", o.text, alike.Question(alike.Nearest(name, []string{"tcpka", "clitcpka", "srvtcpka"})))
		}
		return
	}
	r.found = true
	if cli && srv && !enabled {
		r.remark(o.Place, Refused, "%s: haproxy does not take no before it, and does not start: write no option clitcpka and no option srvtcpka", o.text)
		return
	}
	if cli && !srv && !p.takes("cli") || srv && !cli && !p.takes("srv") {
		r.elsewhere(p, o, name)
		return
	}
	if cli && p.takes("cli") {
		p.cli.on, p.cli.enabled = &o, enabled
	}
	if srv && p.takes("srv") {
		p.srv.on, p.srv.enabled = &o, enabled
	}
}

// takes reports whether a section has that side; defaults have both.
func (p *haproxySection) takes(side string) bool {
	return p.kind == "defaults" || side == "cli" && p.frontend() || side == "srv" && p.backend()
}

func (r *haproxyReader) elsewhere(p *haproxySection, o origin, name string) {
	lacks, belongs := "clients", "a frontend, listen or defaults"
	if strings.HasPrefix(name, "srv") {
		lacks, belongs = "servers", "a backend, listen or defaults"
	}
	r.remark(o.Place, Ignored, "%s: the %s %s has no %s, so haproxy ignores it: it belongs into %s section", o.text, p.kind, p.name, lacks, belongs)
}

func (r *haproxyReader) value(p *haproxySection, o origin, word, text string) {
	prefix, name, _ := strings.Cut(word, "tcpka-")
	option, known := haproxyOptions[name]
	if !known || prefix != "cli" && prefix != "srv" {
		names := []string{"clitcpka-idle", "clitcpka-intvl", "clitcpka-cnt", "srvtcpka-idle", "srvtcpka-intvl", "srvtcpka-cnt"}
		r.remark(o.Place, UnknownWord, "%s: haproxy has no such keyword and does not start%s", o.text, alike.Question(alike.Nearest(word, names)))
		return
	}
	if !p.takes(prefix) {
		r.elsewhere(p, o, word)
		return
	}
	var t *tick
	switch {
	case isVariable(text):
		t = &tick{variable: true, origin: o}
	case option == platform.Count:
		n, err := strconv.ParseInt(text, 0, 64) // strtol(..., 0) in proxy_parse_tcpka_cnt, cut to an int
		if err != nil {
			r.remark(o.Place, Refused, "%s: want a whole number: haproxy does not start", o.text)
			return
		}
		t = &tick{n: n, origin: o}
	default:
		if t = r.time(o, text, 1_000_000); t == nil {
			return
		}
	}
	values := p.cli.values
	if prefix == "srv" {
		values = p.srv.values
	}
	delete(values, option)
	if t.n != 0 || t.variable { // 0 leaves it to the system
		values[option] = *t
	}
}

var haproxyTime = pattern(`^(\d+)(us|ms|s|m|h|d)?(.*)$`)

// time reads a time as parse_time_err does, in a unit of so many microseconds; it rounds
// up. It returns nil if haproxy refuses it.
func (r *haproxyReader) time(o origin, text string, unit int64) *tick {
	m := haproxyTime().FindStringSubmatch(text)
	if m == nil || strings.HasPrefix(m[3], ".") {
		r.remark(o.Place, Refused, "%s: want a whole number and one of the units us, ms, s, m, h, d: haproxy does not start", o.text)
		return nil
	}
	if m[3] != "" {
		r.remark(o.Place, Refused, "%s: want one number and one unit: haproxy 2.6 takes only %s%s of it, later ones do not start", o.text, m[1], m[2])
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	micros := map[string]int64{"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6, "d": 86400e6}[m[2]]
	if m[2] == "" {
		micros = unit
	}
	const most = 1<<31 - 1 // of the unit, TIME_OVERFLOW
	if err != nil || n > most*max(unit/micros, 1) || micros > unit && n > most/(micros/unit) {
		r.remark(o.Place, Refused, "%s: it is more than %d %s: haproxy does not start", o.text, most, map[int64]string{1e6: "s", 1e3: "ms"}[unit])
		return nil
	}
	if micros >= unit {
		n *= micros / unit
	} else {
		n = (n*micros + unit - 1) / unit
	}
	return &tick{n: n, bare: m[2] == "", origin: o}
}

// userTimeout finds tcp-ut among the words of a bind or a server.
func (r *haproxyReader) userTimeout(o origin, words []string, inherited *tick) *tick {
	for i, w := range words {
		if w == "tcp-ut" && i+1 < len(words) {
			r.found = true
			if isVariable(words[i+1]) {
				return &tick{variable: true, origin: origin{o.Place, "tcp-ut " + words[i+1]}}
			}
			return r.time(origin{o.Place, "tcp-ut " + words[i+1]}, words[i+1], 1000)
		}
	}
	return inherited
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

// timeouts that end a silent connection; in the others a short time is usual.
var haproxyTimeouts = []string{"client", "server", "tunnel"}

func (r *haproxyReader) timeout(o origin, name, text string) {
	if !contains(haproxyTimeouts, name) || isVariable(text) {
		return
	}
	r.found = true
	if r.current.kind != "defaults" && (name == "client" && !r.current.frontend() || name != "client" && !r.current.backend()) {
		r.remark(o.Place, Ignored, "%s: a %s has no such timeout, so haproxy ignores it", o.text, r.current.kind)
		return
	}
	switch t := r.time(o, text, 1000); {
	case t == nil:
	case t.bare && t.n > 0 && t.n < shortTimeout:
		r.remark(o.Place, Unit, "%s: a number without a unit is in milliseconds here, so haproxy closes a connection that is silent for so long: if seconds were meant, write %ds", o.text, t.n)
	case t.n > 0:
		r.remark(o.Place, Note, "%s: haproxy itself closes a connection that is silent for so long, and probes do not put that off", o.text)
	}
}

func (r *haproxyReader) report() {
	var clients, servers, all []*leg
	for _, p := range r.proxies {
		if p.frontend() {
			legs, remote := r.legs(p, p.cli, p.binds, "clients", "option clitcpka")
			clients, all = append(clients, remote...), append(all, legs...)
		}
		if p.backend() {
			legs, remote := r.legs(p, p.srv, p.servers, "servers", "option srvtcpka")
			servers, all = append(servers, remote...), append(all, legs...)
		}
	}
	r.oneLeg(clients, servers)
	for _, l := range all {
		r.add(l)
	}
	if len(all) == 0 && len(r.defaults) == 0 && r.last != nil {
		r.remark(r.last.Place, Note, "there is no frontend, backend or listen section: the defaults have no connections")
	}
}

// legs returns a leg for each user timeout that the ends of one side have, and those of
// them that leave the machine.
func (r *haproxyReader) legs(p *haproxySection, s side, ends []end, whose, option string) (legs, remote []*leg) {
	groups := map[string][]end{}
	var order []string
	for _, e := range ends {
		if !e.tcp {
			continue
		}
		key := ""
		if e.timeout != nil {
			key = e.timeout.String()
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], e)
	}
	if len(ends) == 0 { // binds or servers are elsewhere, or there are none
		order, groups[""] = []string{""}, []end{{}}
	}
	for _, key := range order {
		group := groups[key]
		names := make([]string, len(group))
		for i, e := range group {
			names[i] = e.name
		}
		name := fmt.Sprintf("connections of %s of %s %s", whose, p.kind, p.name)
		if whose == "servers" {
			name = fmt.Sprintf("connections to %s of %s %s", whose, p.kind, p.name)
		}
		if len(order) > 1 {
			name += " (" + strings.Join(names, ", ") + ")"
		}
		l := newLeg(p.Place, "haproxy", name, haproxyRefusal)
		switch {
		case s.on == nil:
			l.turn(off, origin{})
		case s.enabled:
			l.turn(on, *s.on)
		default:
			l.turn(off, *s.on)
		}
		for _, o := range []platform.Option{platform.Idle, platform.Interval, platform.Count} {
			if t, ok := s.values[o]; ok {
				l.setTick(o, t)
			}
		}
		if t := group[0].timeout; t != nil && (t.n > 0 || t.variable) { // 0 sets nothing
			l.setTick(platform.UserTimeout, *t)
		}
		l.offWhy = "haproxy does not switch it on without " + option
		legs = append(legs, l)
		if !slices.ContainsFunc(group, func(e end) bool { return !e.local }) {
			continue
		}
		remote = append(remote, l)
	}
	return legs, remote
}

func (l *leg) setTick(o platform.Option, t tick) {
	if t.variable {
		l.setVariable(o, t.origin)
		return
	}
	l.set(o, t.n, t.bare, t.origin)
}
