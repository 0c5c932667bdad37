package conffile

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkeepalive/keepalive/platform"
)

// Envoy has keepalive off unless tcp_keepalive is there, even empty, or SO_KEEPALIVE is
// among socket_options. Of clusters it is below upstream_connection_options, of listeners
// beside their name (in recent releases). A 0 in any of its fields switches it off in recent
// releases (isTcpKeepaliveConfigDisabled in source/common/network/socket_option_factory.h);
// before, the kernel refused it. What the kernel refuses makes Envoy reject the listener, or
// fail the connection.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/address.proto
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/socket_option.proto

const envoyRefusal = "Envoy rejects the listener, or fails to connect"

// envoyKeys are those of keepalive; protobuf's JSON form takes both spellings.
var envoyKeys = []string{"tcp_keepalive", "tcpKeepalive", "socket_options", "socketOptions", "upstream_connection_options", "upstreamConnectionOptions"}

// linuxOptions are the numbers of socket_options, which are those of Linux (platform.Lookup
// has them as well, where they are compared with the system's headers).
var linuxOptions = map[[2]int64]platform.Option{
	{1, 9}:  platform.KeepAlive,
	{6, 4}:  platform.Idle,
	{6, 5}:  platform.Interval,
	{6, 6}:  platform.Count,
	{6, 18}: platform.UserTimeout,
}

type envoyReader struct {
	*source
	clients, servers []*leg
	all              []*leg
	found            bool
	bind             *node          // of the cluster manager: socket options of all clusters that have none
	seen             map[*node]bool // what was understood
}

func readEnvoy(s *source) error {
	trees, err := s.trees()
	if err != nil {
		return err
	}
	for _, n := range trees {
		if n.fields == nil && n.items == nil {
			return wrong(s.at(n.line), "a mapping")
		}
		s.envoy(n)
	}
	return nil
}

// envoy reads everything of Envoy below a value.
func (s *source) envoy(n *node) {
	r := &envoyReader{source: s, seen: map[*node]bool{}}
	r.bind = n.get("cluster_manager", "clusterManager").get("upstream_bind_config", "upstreamBindConfig")
	r.walk(n, "")
	r.elsewhere(n)
	if !r.found {
		return
	}
	r.oneLeg(r.clients, r.servers)
	for _, l := range r.all {
		s.add(l)
	}
}

func (r *envoyReader) walk(n *node, key string) {
	switch {
	case n.fields == nil:
	case isEnvoyListener(n, key):
		r.listener(n)
	case isEnvoyCluster(n, key):
		r.cluster(n)
	}
	for _, k := range n.keys {
		r.walk(n.fields[k], k)
	}
	for _, item := range n.items {
		r.walk(item, key)
	}
}

// A listener has filter chains, a cluster says how its endpoints are found; each may have
// neither in a patch of Istio's EnvoyFilter, where the options alone tell.
func isEnvoyListener(n *node, key string) bool {
	return key == "listeners" || strings.HasSuffix(n.str("@type"), ".Listener") || n.get("filter_chains", "filterChains", "default_filter_chain", "defaultFilterChain") != nil ||
		key == "value" && n.get("socket_options", "socketOptions", "tcp_keepalive", "tcpKeepalive") != nil
}

func isEnvoyCluster(n *node, key string) bool {
	return key == "clusters" || strings.HasSuffix(n.str("@type"), ".Cluster") || n.get("load_assignment", "loadAssignment") != nil ||
		n.get("upstream_connection_options", "upstreamConnectionOptions", "upstream_bind_config", "upstreamBindConfig") != nil && key != "cluster_manager" && key != "clusterManager"
}

func (r *envoyReader) listener(n *node) {
	if udp := n.get("udp_listener_config", "udpListenerConfig"); udp != nil || n.get("address").get("pipe") != nil {
		return
	}
	name := strings.TrimSpace("connections of clients of listener " + n.str("name"))
	l := newLeg(r.at(n.line), "Envoy", name, envoyRefusal)
	l.setsWhenOff = true
	l.turn(off, origin{})
	r.keepalive(l, n.get("tcp_keepalive", "tcpKeepalive"))
	r.options(l, n.get("socket_options", "socketOptions"), false)
	if !isLoopback(n.get("address").get("socket_address", "socketAddress").str("address")) {
		r.clients = append(r.clients, l)
	}
	r.all = append(r.all, l)
}

func (r *envoyReader) cluster(n *node) {
	l := newLeg(r.at(n.line), "Envoy", strings.TrimSpace("connections to servers of cluster "+n.str("name")), envoyRefusal)
	l.setsWhenOff = true
	l.turn(off, origin{})
	r.keepalive(l, n.get("upstream_connection_options", "upstreamConnectionOptions").get("tcp_keepalive", "tcpKeepalive"))
	if k := n.get("tcp_keepalive", "tcpKeepalive"); k != nil {
		r.found, r.seen[k] = true, true
		r.remark(r.at(k.line), UnknownWord, "tcp_keepalive belongs below upstream_connection_options in a cluster: Envoy rejects it here")
	}
	bind := n.get("upstream_bind_config", "upstreamBindConfig")
	options := bind.get("socket_options", "socketOptions")
	if options == nil || len(options.items) == 0 {
		options = r.bind.get("socket_options", "socketOptions")
	}
	r.options(l, options, true)
	local := addresses(n)
	remote := len(local) == 0
	for _, a := range local {
		remote = remote || !isLoopback(a)
	}
	if remote {
		r.servers = append(r.servers, l)
	}
	r.all = append(r.all, l)
}

// addresses are those of the endpoints below a cluster.
func addresses(n *node) (list []string) {
	if a := n.get("socket_address", "socketAddress"); a != nil {
		list = append(list, a.str("address"))
	}
	for _, c := range n.children() {
		list = append(list, addresses(c)...)
	}
	return list
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
		level, number, option, ours := envoyOption(item)
		if !ours {
			continue
		}
		r.found = true
		v := item.get("int_value", "intValue")
		o := origin{r.at(item.line), fmt.Sprintf("socket_options level %d name %d (%s)", level, number, symbol(option))}
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
func envoyOption(item *node) (level, number int64, option platform.Option, ours bool) {
	level, ok1 := envoyNumber(item.get("level"), math.MaxInt64)
	number, ok2 := envoyNumber(item.get("name"), math.MaxInt64)
	option, ours = linuxOptions[[2]int64{level, number}]
	return level, number, option, ok1 && ok2 && ours
}

// elsewhere finds settings in places that are not understood, such as additional_addresses.
func (r *envoyReader) elsewhere(n *node) {
	for _, key := range n.keys {
		v := n.fields[key]
		ours := key == "tcp_keepalive" || key == "tcpKeepalive"
		if key == "socket_options" || key == "socketOptions" {
			ours = slices.ContainsFunc(v.items, func(item *node) bool {
				_, _, _, ok := envoyOption(item)
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

func symbol(o platform.Option) string {
	t, _ := platform.Lookup("linux")
	for _, s := range t.Specs {
		if s.Option == o {
			return s.Symbol
		}
	}
	return ""
}

// istio reads the tcpKeepalive of a DestinationRule: durations of protobuf, "7200s".
// https://istio.io/latest/docs/reference/config/networking/destination-rule/
func (s *source) istio(n *node, name string) {
	if k := n.get("tcpKeepalive"); k != nil {
		l := newLeg(s.at(k.line), "Envoy", "connections of "+name, envoyRefusal)
		l.turn(on, origin{s.at(k.line), "tcpKeepalive"})
		for _, key := range k.keys {
			v := k.fields[key]
			at := origin{s.at(v.line), key + ": " + v.text}
			option, known := map[string]platform.Option{"time": platform.Idle, "interval": platform.Interval, "probes": platform.Count}[key]
			text := v.text
			if known && option != platform.Count {
				seconds, isDuration := strings.CutSuffix(text, "s")
				if !isDuration {
					l.remark(at.Place, Refused, "%s: want a duration such as 300s: the API server refuses it", at.text)
					continue
				}
				text = seconds
			}
			number, err := strconv.ParseInt(text, 10, 64)
			switch {
			case !known:
				l.remark(at.Place, UnknownWord, "%s: tcpKeepalive has time, interval and probes", key)
			case err != nil:
				l.remark(at.Place, Refused, "%s: want a whole number of seconds", at.text)
			case number > 0:
				l.set(option, number, option != platform.Count, at)
			}
		}
		s.add(l)
	}
	for _, c := range n.children() {
		s.istio(c, name)
	}
}
