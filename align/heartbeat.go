package align

import (
	"fmt"
	"slices"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Heartbeat says what an application has to do on a path that ignores probes.
type Heartbeat struct {
	// Tightest is the one with the shortest timeout among those that probes do not keep,
	// or may not. Its Timeout is 0 if that of a middlebox which ignores probes is not known.
	Tightest Profile
	// Every is the longest time between two heartbeats. It leaves time to send a lost
	// packet again, as often as the request says that probes may be lost. It is 0 if
	// the timeout of Tightest is not known.
	Every time.Duration
	// IdleConnTimeout is the longest time for which a pool may keep a connection that
	// nobody uses: http.Transport.IdleConnTimeout, sql.DB.SetConnMaxIdleTime. It is
	// shorter than the timeout of the middlebox by a round trip and a second, because
	// a request is lost that is on its way when the middlebox closes the connection.
	// It is 0 if the timeout of Tightest is not known.
	IdleConnTimeout time.Duration
	// Kinds lists the heartbeats that count on this path, the preferred one first.
	Kinds []HeartbeatKind
}

// A HeartbeatKind is a way for an application to keep a connection alive with data, or
// to end it before a middlebox does. The texts are for people and may change between
// versions.
type HeartbeatKind struct {
	Name string // "HTTP/2 PING"
	How  string // where it is set in Go
}

// headroom is kept for the scheduling of both ends and their clocks.
const headroom = time.Second

// heartbeat returns the heartbeat for what probes do not keep: the middleboxes that ignore
// them, and the others if the probes come too late or if it is not sure that they count.
func (r Request) heartbeat(parts parts, inTime bool) *Heartbeat {
	h := &Heartbeat{}
	all := slices.Clone(parts.ignoring)
	for _, p := range parts.refreshed {
		if !inTime || p.Refreshed != platform.Yes || !p.RefreshedEvidence.Sure() {
			all = append(all, p)
		}
	}
	tight, known := tightest(all)
	h.Tightest = tight
	for _, p := range parts.ignoring {
		if p.Timeout == 0 { // a proxy whose timeout everybody sets as they like
			known, h.Tightest = false, p
		}
	}
	h.Kinds = kindsFor(parts.ignoring)
	if !known {
		return h
	}
	timeout := tight.Timeout - r.Margin
	h.Every = orHalf(timeout-r.rtt()-r.resending()-headroom, timeout)
	h.IdleConnTimeout = orHalf(timeout-r.rtt()-headroom, timeout)
	return h
}

// orHalf returns d in whole seconds, or half of the timeout if that is longer.
func orHalf(d, timeout time.Duration) time.Duration {
	return max(d.Truncate(time.Second), (timeout / 2).Truncate(time.Second/10), 0)
}

// resending returns how long TCP takes to deliver a segment that is lost as often as
// probes may be: each wait is twice as long as the one before.
func (r Request) resending() time.Duration {
	const longest = 9 // by then the wait has reached TCP_RTO_MAX
	return (1<<min(r.lostProbes(), longest) - 1) * r.conditions().RTO()
}

// GRPC returns the heartbeat as parameters of a gRPC client: Time and Timeout of its
// keepalive.ClientParameters, which also need PermitWithoutStream. The server has to
// permit such pings: the MinTime of its keepalive.EnforcementPolicy is 5 minutes by
// default, and it disconnects a client that pings more often (ENHANCE_YOUR_CALM).
//
// gRPC pings at most every 10 s. If the path needs more, or if a middlebox on it does not
// count the pings, which are HTTP/2 PINGs, the error wraps a [*ValueError]. If the timeout
// of the path is not known, it wraps [sockopt.ErrUnknown].
func (h *Heartbeat) GRPC() (period, timeout time.Duration, err error) {
	period, timeout, err = h.grpc()
	return period, timeout, named(err)
}

func (h *Heartbeat) grpc() (period, timeout time.Duration, err error) {
	const shortest, usual = 10 * time.Second, 20 * time.Second
	switch {
	case h.Every == 0:
		return 0, 0, fmt.Errorf("the timeout of %s is %w", h.Tightest.label(), sockopt.ErrUnknown)
	case !slices.Contains(h.Kinds, grpcPing):
		return 0, 0, &ValueError{"heartbeat", grpcPing.Name, fmt.Sprintf("HTTP/2 PINGs do not count on this path: let grpc.WithIdleTimeout(%s) end the connection first, or send data on a stream", duration.Seconds(h.IdleConnTimeout))}
	case h.Every < shortest:
		return 0, 0, &ValueError{"heartbeat", duration.Seconds(h.Every), "gRPC pings every 10s at the most"}
	}
	return h.Every, min(usual, h.Every), nil
}
