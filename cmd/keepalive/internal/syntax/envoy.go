package syntax

import (
	"fmt"
	"strings"
)

// An envoyWriter writes YAML of Envoy's API, each line after the indent.
type envoyWriter struct {
	strings.Builder
	indent string
}

func (w *envoyWriter) line(format string, args ...any) {
	fmt.Fprintf(w, w.indent+format+"\n", args...)
}

// socketOptions writes options of a listening socket, or of one before it connects:
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/socket_option.proto.
// The numbers are those of Linux.
func (w *envoyWriter) socketOptions(p Plan, keepalive bool) {
	option := func(name string, level, number int, value int64) {
		w.line("- {description: %s, level: %d, name: %d, int_value: %d, state: STATE_PREBIND}", name, level, number, value)
	}
	if keepalive {
		option("SO_KEEPALIVE", 1, 9, 1)
		option("TCP_KEEPIDLE", 6, 4, p.idle())
		option("TCP_KEEPINTVL", 6, 5, p.interval())
		option("TCP_KEEPCNT", 6, 6, int64(p.count()))
	}
	if ms := p.userTimeout(); ms > 0 {
		option("TCP_USER_TIMEOUT", 6, 18, ms)
	}
}

const (
	connectionManager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
	protocolOptions   = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
)

// envoy: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/address.proto
// (TcpKeepalive), and config/core/v3/protocol.proto (idle_timeout).
func envoy(p Plan) (string, []string) {
	var w envoyWriter
	w.line("static_resources:")
	w.line("  listeners:")
	w.line("  - name: clients")
	w.line("    socket_options: # inherited by the connections")
	w.indent = "    "
	w.socketOptions(p, true)
	w.indent = ""
	if s, ok := p.server(); ok {
		w.line("    filter_chains:")
		w.line("    - filters:")
		w.line("      - name: envoy.filters.network.http_connection_manager")
		w.line("        typed_config:")
		w.line(`          "@type": %s`, connectionManager)
		w.line("          common_http_protocol_options:")
		w.line("            idle_timeout: %ds # at the server's end of the path", s)
	}
	w.line("  clusters:")
	w.line("  - name: servers")
	w.line("    upstream_connection_options:")
	w.line("      tcp_keepalive:")
	w.line("        keepalive_time: %d", p.idle())
	w.line("        keepalive_interval: %d", p.interval())
	w.line("        keepalive_probes: %d", p.count())
	if p.userTimeout() > 0 {
		w.line("    upstream_bind_config:")
		w.line("      socket_options:")
		w.indent = "      "
		w.socketOptions(p, false)
		w.indent = ""
	}
	if s, ok := p.client(); ok {
		w.line("    typed_extension_protocol_options:")
		w.line("      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:")
		w.line(`        "@type": %s`, protocolOptions)
		w.line("        common_http_protocol_options:")
		w.line("          idle_timeout: %ds # at the client's end of the path", s)
		w.line("        explicit_http_config: {http_protocol_options: {}}")
	}
	return w.String(), []string{
		"merge it into your own listener and cluster; the numbers of socket_options are those of Linux",
		"envoy itself closes idle connections after idle_timeout (1 h by default), which probes do not put off",
	}
}

// istio: https://istio.io/latest/docs/reference/config/networking/destination-rule/ and
// https://istio.io/latest/docs/reference/config/networking/envoy-filter/. A
// DestinationRule has no user timeout, and nothing for the clients of a proxy.
func istio(p Plan) (string, []string) {
	var w envoyWriter
	w.line("apiVersion: networking.istio.io/v1")
	w.line("kind: DestinationRule")
	w.line("metadata:")
	w.line("  name: keepalive")
	w.line("spec:")
	w.line("  host: SERVER")
	w.line("  trafficPolicy:")
	w.line("    connectionPool:")
	w.line("      tcp:")
	w.line("        tcpKeepalive:")
	w.line("          time: %ds", p.idle())
	w.line("          interval: %ds", p.interval())
	w.line("          probes: %d", p.count())
	if s, ok := p.client(); ok {
		w.line("      http:")
		w.line("        idleTimeout: %ds # at the client's end of the path", s)
	}
	w.line("---")
	w.line("apiVersion: networking.istio.io/v1alpha3")
	w.line("kind: EnvoyFilter")
	w.line("metadata:")
	w.line("  name: keepalive")
	w.line("spec:")
	w.line("  configPatches:")
	w.line("  - applyTo: LISTENER")
	w.line("    match:")
	w.line("      context: GATEWAY")
	w.line("    patch:")
	w.line("      operation: MERGE")
	w.line("      value:")
	w.line("        socket_options: # inherited by the connections")
	w.indent = "        "
	w.socketOptions(p, true)
	w.indent = ""
	if s, ok := p.server(); ok {
		w.line("  - applyTo: NETWORK_FILTER")
		w.line("    match:")
		w.line("      context: GATEWAY")
		w.line("      listener:")
		w.line("        filterChain:")
		w.line("          filter:")
		w.line("            name: envoy.filters.network.http_connection_manager")
		w.line("    patch:")
		w.line("      operation: MERGE")
		w.line("      value:")
		w.line("        typed_config:")
		w.line(`          "@type": %s`, connectionManager)
		w.line("          common_http_protocol_options:")
		w.line("            idle_timeout: %ds # at the server's end of the path", s)
	}
	if p.userTimeout() > 0 {
		w.line("  - applyTo: CLUSTER")
		w.line("    match:")
		w.line("      context: GATEWAY")
		w.line("    patch:")
		w.line("      operation: MERGE")
		w.line("      value:")
		w.line("        upstream_bind_config:")
		w.line("          socket_options:")
		w.indent = "          "
		w.socketOptions(p, false)
		w.indent = ""
	}
	return w.String(), []string{
		"the EnvoyFilter is for gateways; for sidecars, the context of the listener is SIDECAR_INBOUND and that of the cluster SIDECAR_OUTBOUND",
		"the DestinationRule is for the service SERVER; the numbers of socket_options are those of Linux",
	}
}
