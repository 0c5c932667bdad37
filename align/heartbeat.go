package align

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Heartbeat is what an application has to do on a path that ignores probes.
type Heartbeat struct {
	// Tightest is the middlebox that decides; its Timeout is 0 if none is known.
	Tightest Profile
	// Every is the longest time between two heartbeats, 0 if no timeout is known.
	// Lost packets are sent again within that time, as often as the request says.
	Every time.Duration
	// IdleConnTimeout is when a pool has to drop a connection that it does not
	// use: http.Transport.IdleConnTimeout, sql.DB.SetConnMaxIdleTime. The margin
	// to the middlebox' timeout is absolute, a round trip and a second, because a
	// request that crosses the close on its way is lost. 0 if no timeout is known.
	IdleConnTimeout time.Duration
	// Kinds are the heartbeats that applications have, in order of preference.
	Kinds []HeartbeatKind
}

// A HeartbeatKind is a way for an application to show that it is alive.
type HeartbeatKind struct {
	Name string // "HTTP/2 PING"
	How  string // where it is set in Go
}

var (
	http2Ping = HeartbeatKind{"HTTP/2 PING", "http.Transport.HTTP2.SendPingTimeout"}
	grpcPing  = HeartbeatKind{"gRPC keepalive", "keepalive.ClientParameters{Time, PermitWithoutStream: true}; 10s or more, and servers refuse less than 5m unless their EnforcementPolicy.MinTime allows it"}
	sqlPing   = HeartbeatKind{"SQL ping", "sql.DB.PingContext on each pooled connection, or SetConnMaxIdleTime to have none idle for so long"}
	redisPing = HeartbeatKind{"Redis PING", "Pool.ConnMaxIdleTime of the client, or a PING on subscribed connections"}
)

// headroom is kept for the scheduling of both ends and their clocks.
const headroom = time.Second

// heartbeat reckons with the whole path: data refreshes every part of it.
func (r Request) heartbeat(parts parts) *Heartbeat {
	h := &Heartbeat{}
	all := append(parts.ignoring[:len(parts.ignoring):len(parts.ignoring)], parts.refreshed...)
	tight, known := tightest(all)
	h.Tightest = tight
	for _, p := range parts.ignoring {
		if p.Timeout == 0 { // a proxy whose timeout everybody sets as they like
			known, h.Tightest = false, p
		}
	}
	h.Kinds = []HeartbeatKind{http2Ping, grpcPing, sqlPing, redisPing}
	if onlyHTTP(parts.ignoring) {
		h.Kinds = h.Kinds[:2]
	}
	if !known {
		return h
	}
	timeout := tight.Timeout - r.Margin
	h.Every = orHalf(timeout-r.rtt()-r.resending()-headroom, timeout)
	h.IdleConnTimeout = orHalf(timeout-r.rtt()-headroom, timeout)
	return h
}

// orHalf returns d in whole seconds, or half of the timeout where that is longer.
func orHalf(d, timeout time.Duration) time.Duration {
	return max(d.Truncate(time.Second), (timeout / 2).Truncate(time.Second/10), 0)
}

// resending is how long TCP takes to get a segment through that is lost as often
// as probes may be: each wait is twice as long as the one before.
func (r Request) resending() time.Duration {
	const longest = 9 // by then the wait has reached TCP_RTO_MAX
	return (1<<min(r.lostProbes(), longest) - 1) * r.conditions().RTO()
}

func onlyHTTP(profiles []Profile) bool {
	for _, p := range profiles {
		if p.Layer != "L7" {
			return false
		}
	}
	return true
}

// GRPC returns the heartbeat as the parameters of a gRPC client: its
// keepalive.ClientParameters' Time and Timeout, with PermitWithoutStream. The
// server has to permit it: keepalive.EnforcementPolicy's MinTime is 5 minutes
// unless it is set, and who pings more often is disconnected (ENHANCE_YOUR_CALM).
//
// gRPC does not ping more often than every 10 s: a heartbeat that has to is a
// [*ValueError]. Where no timeout is known, the error wraps [sockopt.ErrUnknown].
func (h *Heartbeat) GRPC() (period, timeout time.Duration, err error) {
	const shortest, usual = 10 * time.Second, 20 * time.Second
	switch {
	case h.Every == 0:
		return 0, 0, fmt.Errorf("the timeout of %s is %w", h.Tightest.label(), sockopt.ErrUnknown)
	case h.Every < shortest:
		return 0, 0, &ValueError{"heartbeat", text(h.Every), "gRPC pings every 10s at the most"}
	}
	return h.Every, min(usual, h.Every), nil
}
