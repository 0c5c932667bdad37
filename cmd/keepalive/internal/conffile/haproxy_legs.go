package conffile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tcpkeepalive/keepalive/platform"
)

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
		l.Implied = !r.found
		r.add(l)
	}
	if r.found && len(all) == 0 && len(r.defaults) == 0 && r.last != nil {
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
		l.Server = whose == "clients"
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
		l.closes(p.closing(strings.TrimSuffix(whose, "s")))
		l.offWhy = "haproxy does not switch it on without " + option
		legs = append(legs, l)
		if !slices.ContainsFunc(group, func(e end) bool { return !e.local }) {
			continue
		}
		remote = append(remote, l)
	}
	return legs, remote
}
