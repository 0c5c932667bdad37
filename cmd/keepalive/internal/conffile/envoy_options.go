package conffile

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// linuxOption returns the option that has these numbers on Linux, and its name.
func linuxOption(level, number int64) (o platform.Option, symbol string, ok bool) {
	for _, s := range kernel.Linux().Specs {
		if int64(s.Level) == level && int64(s.Number) == number {
			return s.Option, s.Symbol, true
		}
	}
	return 0, "", false
}

// keepalive reads a core.v3.TcpKeepalive.
func (r *envoyReader) keepalive(l *leg, n *node) {
	if n == nil {
		return
	}
	r.found, r.seen[n] = true, true
	o := origin{r.at(n.line), "tcp_keepalive"}
	l.turn(on, o)
	known := map[string]platform.Option{
		"keepalive_time": platform.Idle, "keepaliveTime": platform.Idle,
		"keepalive_interval": platform.Interval, "keepaliveInterval": platform.Interval,
		"keepalive_probes": platform.Count, "keepaliveProbes": platform.Count,
	}
	for _, key := range n.keys {
		v := n.fields[key]
		at := origin{r.at(v.line), key + ": " + v.text}
		option, ok := known[key]
		if !ok {
			l.remark(at.Place, UnknownWord, "%s: tcp_keepalive has keepalive_time, keepalive_interval and keepalive_probes: Envoy rejects it", key)
			continue
		}
		switch n, ok := envoyNumber(v, math.MaxUint32); {
		case !ok:
			l.remark(at.Place, Refused, "%s: want a whole number: Envoy rejects it", at.text)
		case n == 0:
			l.turn(off, at)
			l.remark(at.Place, Note, "%s: 0 switches keepalive off in recent releases of Envoy; in older ones the kernel refuses it", at.text)
		default:
			l.set(option, n, option != platform.Count, at)
		}
	}
}

// envoyNumber reads a number of protobuf's JSON form, which may be a string or end in .0.
func envoyNumber(v *node, most int64) (int64, bool) {
	if v == nil || !v.scalar {
		return 0, false
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil {
		f, floatErr := strconv.ParseFloat(v.text, 64)
		if floatErr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return 0, false
		}
		n = int64(f)
	}
	return n, n >= 0 && n <= most
}

// options reads a list of core.v3.SocketOption.
func (r *envoyReader) options(l *leg, list *node, upstream bool) {
	if list == nil {
		return
	}
	r.seen[list] = true
	for _, item := range list.items {
		option, symbol, ours := envoyOption(item)
		if !ours {
			continue
		}
		r.found = true
		v := item.get("int_value", "intValue")
		o := origin{r.at(item.line), fmt.Sprintf("socket_options level %s name %s (%s)", item.str("level"), item.str("name"), symbol)}
		if v == nil {
			r.remark(o.Place, Unread, "%s: only int_value is understood", o.text)
			continue
		}
		o.text = fmt.Sprintf("%s int_value %s", o.text, v.text)
		n, ok := envoyNumber(v, math.MaxInt64)
		state := strings.ToUpper(item.str("state"))
		switch {
		case upstream && (state == "STATE_LISTENING" || state == "2"):
			l.remark(o.Place, Ignored, "%s: a connection to a server never listens, so Envoy does not set it: leave state out", o.text)
		case !ok:
			l.remark(o.Place, Refused, "%s: want a whole number, 0 or more: %s", o.text, envoyRefusal)
		case option == platform.KeepAlive && n == 0:
			l.turn(off, o)
		case option == platform.KeepAlive:
			l.turn(on, o)
		default:
			l.set(option, n, option != platform.Count, o)
		}
	}
}

// envoyOption returns what a core.v3.SocketOption sets, and whether it is of keepalive.
func envoyOption(item *node) (o platform.Option, symbol string, ours bool) {
	level, ok1 := envoyNumber(item.get("level"), math.MaxInt64)
	number, ok2 := envoyNumber(item.get("name"), math.MaxInt64)
	if !ok1 || !ok2 {
		return 0, "", false
	}
	return linuxOption(level, number)
}

// elsewhere finds settings in places that are not understood, such as additional_addresses.
func (r *envoyReader) elsewhere(n *node) {
	for _, key := range n.keys {
		v := n.fields[key]
		ours := key == "tcp_keepalive" || key == "tcpKeepalive"
		if key == "socket_options" || key == "socketOptions" {
			ours = slices.ContainsFunc(v.items, func(item *node) bool {
				_, _, ok := envoyOption(item)
				return ok
			})
		}
		if ours && !r.seen[v] {
			r.found = true
			r.remark(r.at(v.line), Unread, "%s is not understood in this place: of which connections it is, is not known", key)
		}
		r.elsewhere(v)
	}
	for _, item := range n.items {
		r.elsewhere(item)
	}
}
