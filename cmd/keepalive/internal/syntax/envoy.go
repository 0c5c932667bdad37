package syntax

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/ends"
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
	if s, comment, ok := p.envoyIdle(true); ok {
		w.line("    filter_chains:")
		w.line("    - filters:")
		w.line("      - name: envoy.filters.network.http_connection_manager")
		w.line("        typed_config:")
		w.line(`          "@type": %s`, connectionManager)
		w.line("          common_http_protocol_options:")
		w.line("            idle_timeout: %ds # %s", s, comment)
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
	if s, comment, ok := p.envoyIdle(false); ok {
		w.line("    typed_extension_protocol_options:")
		w.line("      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:")
		w.line(`        "@type": %s`, protocolOptions)
		w.line("        common_http_protocol_options:")
		w.line("          idle_timeout: %ds # %s", s, comment)
		w.line("        explicit_http_config: {http_protocol_options: {}}")
	}
	return w.String(), []string{
		"merge it into your own listener and cluster; the numbers of socket_options are those of Linux",
		"envoy itself closes idle connections after idle_timeout (1 h by default), which probes do not put off; a listener of TCP has it in its tcp_proxy instead, for both sides",
	}
}

// envoyIdle is the idle_timeout, in seconds, of connections that Envoy accepts or makes,
// and why. Where nothing on the path ends idle HTTP connections, Envoy must not either: 0 is
// never, and its own default an hour (config/core/v3/protocol.proto). It is false where it
// would take a timeout that is not known.
func (p Plan) envoyIdle(accepted bool) (s int64, comment string, ok bool) {
	if e, _ := ends.Of(p.Request); !e.HTTP {
		return 0, "never", true
	}
	if accepted {
		s, ok = p.server()
		return s, "at the server's end of the path", ok
	}
	s, ok = p.client()
	return s, "at the client's end of the path", ok
}

func envoyCloses(p Plan, accepted bool) conffile.Closing {
	s, _, ok := p.envoyIdle(accepted)
	if !ok {
		return conffile.Closing{After: time.Hour, By: "Envoy", Text: "idle_timeout, Envoy's default"}
	}
	return conffile.Closing{After: seconds(s), By: "Envoy", Text: fmt.Sprintf("idle_timeout: %ds", s)}
}

// istioCloses: where Envoy's text has a 0 for never, Istio's has nothing. Not all releases
// take it in a DestinationRule (the API server refused it,
// https://github.com/istio/istio/issues/55409), which has nothing for clients.
func istioCloses(p Plan, accepted bool) conffile.Closing {
	if c := envoyCloses(p, accepted); c.After > 0 {
		return c
	}
	return conffile.Closing{After: time.Hour, By: "Envoy", Text: "idle_timeout, Envoy's default"}
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
		"Envoy itself closes idle connections after 1 h by default, which probes do not put off; idleTimeout: 0s, for never, is refused by some releases of Istio",
		"the DestinationRule is for the service SERVER; the numbers of socket_options are those of Linux",
	}
}
