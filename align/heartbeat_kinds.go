package align

import (
	"slices"
	"strings"
)

// The names of the Go clients are those of net/http, database/sql, google.golang.org/grpc
// v1.85, pgx v5, go-redis v9, redigo, franz-go, kafka-go, amqp091-go and nats.go.
var (
	http2Ping = HeartbeatKind{"HTTP/2 PING", "http.Transport.HTTP2.SendPingTimeout"}
	grpcPing  = HeartbeatKind{"gRPC keepalive", "keepalive.ClientParameters{Time, PermitWithoutStream: true}; 10s or more, and servers refuse less than 5m unless their EnforcementPolicy.MinTime allows it"}
	sqlPing   = HeartbeatKind{"SQL ping", "sql.DB.PingContext on each pooled connection"}
	redisPing = HeartbeatKind{"Redis PING", "a PING on each pooled and on each subscribed connection"}

	httpRequest = HeartbeatKind{"HTTP request", "one that the server answers, such as HEAD /, on each pooled connection; HTTP/2 and gRPC PINGs do not count"}
	streamData  = HeartbeatKind{"data on a stream", "a message of the application's own on each open gRPC stream or event stream; on a WebSocket also its ping"}
	anyData     = HeartbeatKind{"data of the application", "whatever the server answers, on each pooled connection"}
	amqpFrames  = HeartbeatKind{"AMQP heartbeat", "amqp.Config.Heartbeat, which the client sends on its own: 10s by default"}
	natsPing    = HeartbeatKind{"NATS PING", "nats.PingInterval, which the client sends on its own: 2m by default; it also answers the server's"}

	retire      = HeartbeatKind{"retire idle connections", "http.Transport.IdleConnTimeout, sql.DB.SetConnMaxIdleTime, redis.Options.ConnMaxIdleTime"}
	retireHTTP  = HeartbeatKind{retire.Name, "http.Transport.IdleConnTimeout; grpc.WithIdleTimeout for channels without a call"}
	retireSQL   = HeartbeatKind{retire.Name, "sql.DB.SetConnMaxIdleTime and SetConnMaxLifetime; pgxpool.Config.MaxConnIdleTime and MaxConnLifetime"}
	retireRedis = HeartbeatKind{retire.Name, "ConnMaxIdleTime and ConnMaxLifetime of redis.Options (go-redis), IdleTimeout of redis.Pool (redigo)"}
	retireKafka = HeartbeatKind{retire.Name, "kgo.ConnIdleTimeout (franz-go, 20s by default), kafka.Transport.IdleTimeout (kafka-go, 30s by default); sarama has no such setting"}
)

// kindsFor returns the heartbeats that count at every one of these middleboxes.
func kindsFor(ignoring []Profile) []HeartbeatKind {
	var common []HeartbeatKind
	for _, p := range ignoring {
		kinds := p.heartbeats()
		switch {
		case kinds == nil: // all count
		case common == nil:
			common = kinds
		default:
			common = slices.DeleteFunc(common, func(k HeartbeatKind) bool {
				return !slices.ContainsFunc(kinds, func(other HeartbeatKind) bool { return other.Name == k.Name })
			})
		}
	}
	switch {
	case common == nil:
		return []HeartbeatKind{http2Ping, grpcPing, sqlPing, redisPing, retire}
	case len(common) == 0:
		return []HeartbeatKind{anyData, retire}
	}
	return common
}

// heartbeats returns the heartbeats that this middlebox counts, nil if it counts every
// byte.
//
// What ends HTTP does not count PINGs: Envoy's protocol.proto says so of its idle
// timeout, net/http's h2_bundle.go ("PING frames are not considered activity") of
// IdleTimeout, nginx' ngx_http_v2.c does not set its timer again, and AWS' support
// answers so for ALB. HAProxy counts them or not, as it is configured: see
// TestPINGsAndIdleTimeouts. For products that say nothing it is assumed that they do not
// count: a request counts everywhere.
func (p Profile) heartbeats() []HeartbeatKind {
	switch p.protocol() {
	case "HTTP":
		return []HeartbeatKind{httpRequest, streamData, retireHTTP}
	case "stream":
		return []HeartbeatKind{streamData}
	case "SQL":
		return []HeartbeatKind{sqlPing, retireSQL}
	case "Redis":
		return []HeartbeatKind{redisPing, retireRedis}
	case "Kafka":
		return []HeartbeatKind{anyData, retireKafka}
	case "AMQP":
		return []HeartbeatKind{amqpFrames}
	case "NATS":
		return []HeartbeatKind{natsPing}
	case "":
		if !strings.Contains(p.Layer, "L7") && p.Kind != serverTimeout {
			return nil
		}
		if p.Kind != serverTimeout { // it may end HTTP, or only TCP
			return []HeartbeatKind{httpRequest, streamData, sqlPing, redisPing, retire}
		}
	}
	return []HeartbeatKind{anyData, retire}
}

// protocol returns the Protocol, or what "" stands for.
func (p Profile) protocol() string {
	if p.Protocol == "" && strings.HasPrefix(p.Layer, "L7") {
		return "HTTP"
	}
	return p.Protocol
}
