package conffile

import (
	"slices"
	"strings"
)

// An upstream is what passes requests on, with the same setting.
type upstream struct {
	protocol string
	on       *origin // nil if nobody sets it
	enabled  bool
	at       []Place
	loopback bool
	closing  Closing
}

// collect finds the upstream blocks, which may come after their use.
func (r *nginxReader) collect(list []directive) {
	for _, d := range list {
		if d.name() == "upstream" {
			for _, in := range d.block {
				if in.name() == "server" {
					r.servers[d.arg(1)] = append(r.servers[d.arg(1)], in.arg(1))
				}
			}
		}
		r.collect(d.block)
	}
}

// pass notes that something is passed on; equal settings make one leg.
func (r *nginxReader) pass(d directive, protocol string, set map[string]origin) {
	if r.unix(d.arg(1)) {
		return
	}
	u := &upstream{protocol: protocol, at: []Place{d.Place}, loopback: r.loopback(d.arg(1)), closing: r.upstreamsClosing(set, protocol)}
	if o, ok := set[protocol+"_socket_keepalive"]; ok {
		u.on, u.enabled = &o, strings.HasSuffix(o.text, " on")
	}
	for _, other := range r.upstreams {
		if other.protocol == protocol && other.loopback == u.loopback && other.closing == u.closing && (other.on == nil) == (u.on == nil) && (u.on == nil || *u.on == *other.on) {
			other.at = append(other.at, d.Place)
			return
		}
	}
	r.upstreams = append(r.upstreams, u)
}

// nginxHost returns the host that a PROTOCOL_pass directive names: backend of
// "http://backend/path".
func nginxHost(target string) string {
	if _, rest, ok := strings.Cut(target, "://"); ok {
		target = rest
	}
	host, _, _ := strings.Cut(target, "/")
	return host
}

// targets are the servers of the upstream block of that name, or the host itself.
func (r *nginxReader) targets(target string) []string {
	host := nginxHost(target)
	if list := r.servers[host]; list != nil {
		return list
	}
	return []string{host}
}

func (r *nginxReader) unix(target string) bool {
	for _, t := range r.targets(target) {
		if !strings.HasPrefix(t, "unix:") {
			return false
		}
	}
	return true
}

func (r *nginxReader) loopback(target string) bool {
	for _, t := range r.targets(target) {
		if !isLoopback(t) && !strings.HasPrefix(t, "unix:") {
			return false
		}
	}
	return true
}

// unused finds switches of protocols that nothing is passed on with.
func (r *nginxReader) unused() {
	unread := slices.ContainsFunc(r.doc.Remarks, func(m Remark) bool { return m.Kind == Unread })
	for _, o := range r.switches {
		protocol, _, _ := strings.Cut(o.text, "_")
		used := slices.ContainsFunc(r.upstreams, func(u *upstream) bool { return u.protocol == protocol })
		if !used && !unread {
			r.remark(o.Place, Ignored, "%s: nothing here is passed on over TCP by %s_pass", o.text, protocol)
		}
	}
}
