package plan

import (
	"slices"

	"github.com/tcpkeepalive/keepalive/align"
)

// serversHow says where a server sets the heartbeats that it can send, by their names. A
// server of HTTP, SQL or Redis answers, and sends nothing by itself.
var serversHow = map[string]string{
	"HTTP/2 PING":             "http.Server.HTTP2.SendPingTimeout",
	"gRPC keepalive":          "keepalive.ServerParameters{Time}; 2h by default",
	"data on a stream":        "a message of the application's own on each open gRPC stream or event stream; on a WebSocket also its ping",
	"data of the application": "what the protocol lets a server send unasked",
	"AMQP heartbeat":          "which the server sends on its own, as often as both ends agreed",
	"NATS PING":               "ping_interval of the server, 2m by default",
}

// heartbeatOfServer returns what a server can do on a path that ignores probes. What it
// closes itself is its own to set, and it must not close first: so it gets no
// IdleConnTimeout.
func heartbeatOfServer(r align.Request, h *align.Heartbeat) *align.Heartbeat {
	others := r
	others.Path = slices.DeleteFunc(slices.Clone(r.Path), func(p align.Profile) bool { return p.Kind == "server timeout" && !p.EndsTCP() })
	if p, err := others.Plan(); err == nil && p.Heartbeat != nil {
		h = p.Heartbeat
	}
	its := &align.Heartbeat{Tightest: h.Tightest, Every: h.Every}
	for _, k := range h.Kinds {
		if how, can := serversHow[k.Name]; can {
			its.Kinds = append(its.Kinds, align.HeartbeatKind{Name: k.Name, How: how})
		}
	}
	if len(its.Kinds) == 0 {
		its.Kinds = []align.HeartbeatKind{{Name: "heartbeat of the client", How: "a server of this protocol sends nothing unasked: whoever opens the connection has to send, or to close it first"}}
	}
	return its
}
