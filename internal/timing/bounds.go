package timing

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// LatestProbe returns the longest time on Linux between the last segment
// received and the probe that follows lost probes. Each timer up to that probe
// may be late, depending on hz (see [Conditions]).
func LatestProbe(s platform.Settings, lost int, hz int) time.Duration {
	var latest time.Duration
	for _, hz := range Possible(hz) {
		latest = max(latest, latestProbe(s, int64(lost), hz))
	}
	return latest
}

func latestProbe(s platform.Settings, lost int64, hz HZ) time.Duration {
	// The last segment received may be the answer to a probe; then the next
	// probe is at least an interval away.
	first := max(hz.Latest(s.Idle), hz.Latest(s.Interval))
	return AddMul(first, lost, hz.Latest(s.Interval))
}

// DetectionBounds returns how long the death of a peer may go unnoticed on
// Linux, in every phase. [DetectionTime] is the nominal time of the idle phase,
// with timers that are never late.
//
// The bounds hold for a path that loses all packets, in both directions. No
// setting of a socket can bound two cases. On a path with a notable round trip,
// a program that writes more often than about every two round trips prevents the
// retransmission timer, and so the user timeout, from starting. And if only
// packets to the peer are lost while the peer has unacknowledged data of its
// own, its retransmissions count as signs of life.
//
// The error wraps [ErrUnknown] if settings are missing.
//
// Source: net/ipv4/tcp_timer.c, and measurements on Linux 6.18.
func DetectionBounds(s platform.Settings, c Conditions) (Detection, error) {
	var d Detection
	if err := c.Validate(); err != nil {
		return d, err
	}
	nominal, err := DetectionTime(kernel.Linux(), s)
	switch {
	case err == nil:
		d[PhaseIdle] = idleBound(s, nominal, c)
	case s.Known.Has(platform.KeepAlive) && !s.Enabled:
		d[PhaseIdle] = Bound{Note: "keepalive is off: never noticed"}
	default:
		return d, err
	}
	if !s.Known.Has(platform.UserTimeout) {
		return d, fmt.Errorf("detection time: the user timeout is %w", ErrUnknown)
	}
	d[PhaseInFlight] = inFlightBound(s.UserTimeout, c)
	d[PhaseLateWrite] = lateWriteBound(d)
	d[PhaseZeroWindow] = zeroWindowBound(s.UserTimeout, c)
	if c.Multipath {
		for _, p := range []Phase{PhaseIdle, PhaseInFlight, PhaseLateWrite, PhaseZeroWindow} {
			d[p] = d[p].ofMultipath(c.retries())
		}
	}
	d[PhaseConnect] = connectBound(s.UserTimeout, c)
	return d, nil
}

// idleBound bounds the idle phase. When the timer fires, the kernel checks
// whether the count is used up or the user timeout has passed.
func idleBound(s platform.Settings, nominal time.Duration, c Conditions) Bound {
	b := Bound{Earliest: nominal}
	n := int64(s.Count)
	if s.UserTimeout > 0 {
		n = ProbesUntil(s.UserTimeout, s.Idle, s.Interval)
		b.Earliest = max(s.UserTimeout, s.Idle+s.Interval)
	}
	for _, hz := range Possible(c.HZ) {
		latest := latestProbe(s, n, hz)
		if s.UserTimeout > 0 {
			latest = min(latest, max(latestProbe(s, 1, hz), s.UserTimeout+hz.Latest(s.Interval)))
		}
		b.Latest = max(b.Latest, latest)
	}
	return b
}

// inFlightBound bounds the phase with data in flight. The user timeout counts
// from the first retransmission by a timer, which follows a loss probe. The last
// timer of the backoff runs for at most half of the user timeout, and may be
// late by 1/8 of that.
func inFlightBound(userTimeout time.Duration, c Conditions) Bound {
	if userTimeout == 0 {
		r := c.retries()
		return Bound{
			Earliest: r.DataTimeout(),
			Latest:   eighthMore(2*c.RTO()) + latestRetransmission(r, c.RTO()) + slack,
			Note:     "no user timeout: " + c.says("net.ipv4.tcp_retries2=%d", r.Data),
		}
	}
	return Bound{
		Earliest: userTimeout,
		Latest:   2*c.RTO() + userTimeout + userTimeout/16 + slack,
		Note:     "not for a program that writes more often than about every two round trips: each write delays the retransmission timer",
	}
}

// latestRetransmission returns the longest time from the first retransmission to the one
// at which the data is given up, which is the first that is due after the timeout. The
// timeout is computed for a first transmission and r.Data retransmissions that begin at
// 200 ms. But it counts from the first retransmission, so one more may be needed
// (retransmits_timed_out in net/ipv4/tcp_timer.c).
func latestRetransmission(r kernel.Retries, rto time.Duration) time.Duration {
	timeout := r.DataTimeout()
	slowest := time.Duration(0)
	for n := range r.Data + 1 {
		slowest += min(rto<<min(n+1, 16), r.LongestRTO)
	}
	last := min(r.LongestRTO, timeout+2*rto) // at most twice the time of all earlier ones
	return max(timeout, min(eighthMore(slowest), timeout+eighthMore(last)))
}

// eighthMore returns d for kernel timers that are as late as possible.
func eighthMore(d time.Duration) time.Duration { return d + d/8 }

// says returns the text that names the limit that decides.
func (c Conditions) says(format string, args ...any) string {
	s := fmt.Sprintf(format, args...) + " decides"
	if c.Retries == (kernel.Retries{}) {
		s += ", the kernel's default"
	}
	return s
}

// ofMultipath returns the bound for Multipath TCP. A subflow ends like a TCP
// connection; the connection survives its last subflow for a while
// (mptcp_close_tout_expired in net/mptcp/protocol.c).
func (b Bound) ofMultipath(r kernel.Retries) Bound {
	if b.Promised() {
		b.Latest += eighthMore(r.Multipath) + slack
	}
	if b.Note != "" {
		b.Note += "; "
	}
	b.Note += fmt.Sprintf("Multipath TCP reports the end %s after its last subflow has died (net.mptcp.close_timeout)", r.Multipath)
	return b
}

func lateWriteBound(d Detection) Bound {
	if !d[PhaseIdle].Promised() {
		return Bound{Note: "no write, no detection: keepalive is off"}
	}
	return Bound{
		Earliest: d[PhaseInFlight].Earliest,
		Latest:   d[PhaseIdle].Latest + d[PhaseInFlight].Latest,
		Note:     d[PhaseInFlight].Note,
	}
}

// zeroWindowBound bounds the zero window phase. Without a user timeout, the
// kernel gives up after tcp_retries2 unanswered window probes in a row; an
// answer resets the count. If the peer has shrunk its window, retransmissions
// serve as probes for twice the longest timeout.
//
// Source: tcp_probe_timer and tcp_rtx_probe0_timed_out in net/ipv4/tcp_timer.c.
func zeroWindowBound(userTimeout time.Duration, c Conditions) Bound {
	r := c.retries()
	interval := min(c.RTO()<<min(r.Data, 16), r.LongestRTO) // the longest possible
	probes := eighthMore(max(time.Duration(r.Data+1)*interval, 3*r.LongestRTO)) + slack
	if userTimeout == 0 {
		return Bound{Latest: probes, Note: "no user timeout: " + c.says("net.ipv4.tcp_retries2=%d", r.Data)}
	}
	return Bound{
		Latest: min(probes, inFlightBound(userTimeout, c).Latest),
		Note:   "a live peer that does not read for as long as the user timeout is given up too",
	}
}

func connectBound(userTimeout time.Duration, c Conditions) Bound {
	r := c.retries()
	t, note := r.ConnectTimeout(), c.says("net.ipv4.tcp_syn_retries=%d", r.SYN)
	if userTimeout > 0 && c.UserTimeoutBeforeConnect && max(time.Second, userTimeout) < t {
		t, note = max(time.Second, userTimeout), ""
	}
	return Bound{Earliest: t, Latest: eighthMore(t) + slack, Note: note}
}

// LongestUserTimeout returns the longest user timeout with which a dead peer is
// noticed within d while data is in flight. It is 0 or less if there is none.
func LongestUserTimeout(d time.Duration, c Conditions) time.Duration {
	return (d - 2*c.RTO() - slack) / 17 * 16
}
