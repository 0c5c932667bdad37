package conffile

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A tick is a number of HAProxy; bare without a unit.
type tick struct {
	n        int64
	bare     bool
	variable bool
	origin
}

// haproxyOptions are what *tcpka-* set.
var haproxyOptions = map[string]platform.Option{"idle": platform.Idle, "intvl": platform.Interval, "cnt": platform.Count}

var haproxyTimes = []string{"clitcpka-idle", "clitcpka-intvl", "clitcpka-cnt", "srvtcpka-idle", "srvtcpka-intvl", "srvtcpka-cnt"}

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
		r.remark(o.Place, UnknownWord, "%s: haproxy has no such keyword and does not start%s", o.text, alike.Question(alike.Nearest(word, haproxyTimes)))
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

// timeouts that end a silent connection; in the others a short time is usual.
var haproxyTimeouts = []string{"client", "server", "tunnel"}

func (r *haproxyReader) timeout(o origin, name, text string) {
	idle := name == "http-keep-alive"
	if !slices.Contains(haproxyTimeouts, name) && !idle {
		return
	}
	if isVariable(text) {
		r.remark(o.Place, Unread, "%s: after what silence haproxy itself closes a connection depends on a variable, whose value is not known here", o.text)
		return
	}
	if idle {
		if t := r.time(o, text, 1000); t != nil {
			r.current.timeouts[name] = *t
		}
		return
	}
	r.found = true
	if r.current.kind != "defaults" && (name == "client" && !r.current.frontend() || name != "client" && !r.current.backend()) {
		r.remark(o.Place, Ignored, "%s: a %s has no such timeout, so haproxy ignores it", o.text, r.current.kind)
		return
	}
	t := r.time(o, text, 1000)
	if t != nil {
		r.current.timeouts[name] = *t
	}
	switch {
	case t == nil:
	case t.bare && t.n > 0 && t.n < shortTimeout:
		r.remark(o.Place, Unit, "%s: a number without a unit is in milliseconds here, so haproxy closes a connection that is silent for so long: if seconds were meant, write %ds", o.text, t.n)
	case t.n > 0:
		r.remark(o.Place, Note, "%s: haproxy itself closes a connection that is silent for so long, and probes do not put that off", o.text)
	}
}

func (l *leg) setTick(o platform.Option, t tick) {
	if t.variable {
		l.setVariable(o, t.origin)
		return
	}
	l.set(o, t.n, t.bare, t.origin)
}

// closing is what ends a silent connection of one side, "client" or "server". In HTTP the
// pause between two requests has a timeout of its own; of TCP, that of tunnels replaces the
// others when both sides have sent something.
func (p *haproxySection) closing(side string) Closing {
	name, what := side, ""
	if _, ok := p.timeouts["tunnel"]; ok && !p.http {
		name = "tunnel"
	}
	if t, ok := p.timeouts["http-keep-alive"]; ok && p.http && side == "client" && t.n > 0 && (p.timeouts[name].n == 0 || t.n < p.timeouts[name].n) {
		name, what = "http-keep-alive", ": HTTP keep-alive, the pause between two requests"
	}
	t := p.timeouts[name]
	c := Closing{After: time.Duration(t.n) * time.Millisecond, Text: t.of() + what, Pause: what != ""}
	if p.http {
		c.Protocol = "HTTP"
	}
	return c
}
