package conffile

import (
	"strings"
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
	r.oneLeg(r.clients, r.servers)
	for _, l := range r.all {
		l.Implied = !r.found
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
	l := accepted(r.at(n.line), "Envoy", name, envoyRefusal)
	l.setsWhenOff = true
	l.turn(off, origin{})
	r.keepalive(l, n.get("tcp_keepalive", "tcpKeepalive"))
	r.options(l, n.get("socket_options", "socketOptions"), false)
	r.envoyCloses(l, n)
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
	r.envoyCloses(l, n)
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
