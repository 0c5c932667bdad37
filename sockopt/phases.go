package sockopt

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/timerwheel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A Phase is what a connection was doing when its peer, or the way to it, died.
// Keepalive covers only the first.
type Phase uint8

const (
	// PhaseIdle: everything sent is acknowledged. Time counts from the last
	// segment received.
	PhaseIdle Phase = iota
	// PhaseInFlight: data is on its way. Time counts from the write.
	PhaseInFlight
	// PhaseLateWrite: the program writes just before keepalive gives the peer up,
	// which ends keepalive and starts the user timeout: the worst case of all
	// phases. Time counts from the death of the peer.
	PhaseLateWrite
	// PhaseZeroWindow: the peer had stopped reading, and its receive window is
	// full. Time counts from the death of the peer.
	PhaseZeroWindow
	// PhaseConnect: no connection yet. Time counts from the first SYN.
	PhaseConnect
	phases
)

var phaseTexts = [phases]struct{ name, since string }{
	{"idle", "the last segment received"},
	{"in flight", "the write"},
	{"late write", "the death of the peer"},
	{"zero window", "the death of the peer"},
	{"connect", "the first SYN"},
}

// Phases are all of them.
func Phases() []Phase {
	return []Phase{PhaseIdle, PhaseInFlight, PhaseLateWrite, PhaseZeroWindow, PhaseConnect}
}

// String returns "idle", "in flight", "late write", "zero window" or "connect".
func (p Phase) String() string {
	if p < phases {
		return phaseTexts[p].name
	}
	return fmt.Sprintf("Phase(%d)", uint8(p))
}

// Since is the moment from which the time of this phase counts.
func (p Phase) Since() string {
	if p < phases {
		return phaseTexts[p].since
	}
	return "unknown"
}

// A Bound is how long the death of a peer may go unnoticed.
type Bound struct {
	// Earliest is the shortest time, 0 where it is not known.
	Earliest time.Duration
	// Latest is the longest time, 0 where the kernel promises none.
	Latest time.Duration
	// Note is the reason where nothing is promised, or what the promise depends
	// on; "" if there is nothing to add.
	Note string
}

// Promised tells whether there is a longest time.
func (b Bound) Promised() bool { return b.Latest > 0 }

// A Detection is how long the death of a peer may go unnoticed, in each [Phase]:
// d[PhaseInFlight].Latest.
type Detection [phases]Bound

// Conditions are what detection depends on beside the settings of the socket.
// The zero value is the usual case.
type Conditions struct {
	// RTT is the round trip to the peer; 0 stands for [DefaultRTT]. What varies
	// in it is taken to be at most half of it.
	RTT time.Duration
	// HZ is CONFIG_HZ of the kernel, on which depends how late its timers may
	// be. 0 takes the worst of 100, 250, 300 and 1000.
	HZ int
	// UserTimeoutBeforeConnect: the user timeout is set before the connection is
	// made, so that it also limits that.
	UserTimeoutBeforeConnect bool
}

// DefaultRTT is the round trip that [Conditions] without one stand for.
const DefaultRTT = 100 * time.Millisecond

func (c Conditions) rtt() time.Duration {
	if c.RTT == 0 {
		return DefaultRTT
	}
	return c.RTT
}

// RTO is the longest retransmission timeout before anything is lost: SRTT +
// max(200 ms, 4*RTTVAR), RFC 6298 with Linux' minimum.
func (c Conditions) RTO() time.Duration {
	return c.rtt() + max(minRTO, 2*c.rtt())
}

// Validate returns an error that names the field, its value and its limits.
func (c Conditions) Validate() error {
	switch {
	case c.RTT < 0 || c.RTT > maxRTT:
		return fmt.Errorf("round trip %s is out of range: 0 to %s", c.RTT, maxRTT)
	case c.HZ != 0 && (c.HZ < minHZ || c.HZ > maxHZ):
		return fmt.Errorf("HZ=%d is out of range: %d to %d (CONFIG_HZ of a kernel), or 0 for the worst of 100, 250, 300 and 1000", c.HZ, minHZ, maxHZ)
	}
	return nil
}

const (
	minRTO = 200 * time.Millisecond // TCP_RTO_MIN
	maxRTO = 120 * time.Second      // TCP_RTO_MAX
	maxRTT = maxRTO
	slack  = 100 * time.Millisecond // for the lateness of the first two timers; up to 0.07 s was measured
	minHZ  = 24
	maxHZ  = 1200

	// Without a user timeout data is retransmitted until net.ipv4.tcp_retries2 =
	// 15 retransmissions would have taken 924.6 s, had they begun at 200 ms
	// (tcp_retries2 in Documentation/networking/ip-sysctl.rst).
	retries2 = 924600 * time.Millisecond
)

// LatestProbe returns the longest time between the last segment received and a
// probe before which as many as lost were lost, on Linux: each of the timers that
// it takes may be late, depending on hz (see [Conditions]).
func LatestProbe(s Settings, lost int, hz int) time.Duration {
	var latest time.Duration
	for _, hz := range timerwheel.Possible(hz) {
		latest = max(latest, latestProbe(s, int64(lost), hz))
	}
	return latest
}

func latestProbe(s Settings, lost int64, hz timerwheel.HZ) time.Duration {
	// The last segment received may be the answer to a probe, after which the next
	// one is at least an interval away.
	first := max(hz.Latest(s.Idle), hz.Latest(s.Interval))
	return addMul(first, lost, hz.Latest(s.Interval))
}

// DetectionBounds returns how long the death of a peer may go unnoticed on
// Linux, in every phase. [DetectionTime] is the short form: the idle phase,
// with timers that are never late.
//
// The bounds hold for a path that loses all packets, in both directions. Two
// things no setting of a socket can bound: a program that writes more often than
// about every two round trips keeps the retransmission timer, and so the user
// timeout, from starting on a path with a notable round trip; and while the peer
// has unacknowledged data of its own, and only packets to it are lost, its
// retransmissions count as signs of life.
//
// An error wraps [ErrUnknown] where settings are missing.
//
// Source: net/ipv4/tcp_timer.c, and measurements on Linux 6.18.
func DetectionBounds(s Settings, c Conditions) (Detection, error) {
	var d Detection
	if err := c.Validate(); err != nil {
		return d, err
	}
	linux, _ := platform.Lookup("linux")
	nominal, err := DetectionTime(linux, s)
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
	d[PhaseZeroWindow] = zeroWindowBound(s.UserTimeout, d[PhaseInFlight])
	d[PhaseConnect] = connectBound(s.UserTimeout, c)
	return d, nil
}

// idleBound: the kernel looks when a timer fires whether the count is used up
// or the user timeout over.
func idleBound(s Settings, nominal time.Duration, c Conditions) Bound {
	b := Bound{Earliest: nominal}
	n := int64(s.Count)
	if s.UserTimeout > 0 {
		n = probesUntil(s.UserTimeout, s.Idle, s.Interval)
		b.Earliest = max(s.UserTimeout, s.Idle+s.Interval)
	}
	for _, hz := range timerwheel.Possible(c.HZ) {
		latest := latestProbe(s, n, hz)
		if s.UserTimeout > 0 {
			latest = min(latest, max(latestProbe(s, 1, hz), s.UserTimeout+hz.Latest(s.Interval)))
		}
		b.Latest = max(b.Latest, latest)
	}
	return b
}

// inFlightBound: the user timeout counts from the first retransmission that a
// timer makes, which a loss probe precedes. The last timer of a backoff runs for
// half of it at most, and may be late by 1/8 of that.
func inFlightBound(userTimeout time.Duration, c Conditions) Bound {
	if userTimeout == 0 {
		return Bound{
			Earliest: retries2,
			Latest:   2*c.RTO() + retries2 + maxRTO + maxRTO/8,
			Note:     "no user timeout: net.ipv4.tcp_retries2 decides, here with its default of 15",
		}
	}
	return Bound{
		Earliest: userTimeout,
		Latest:   2*c.RTO() + userTimeout + userTimeout/16 + slack,
		Note:     "not for a program that writes more often than about every two round trips: each write delays the retransmission timer",
	}
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

func zeroWindowBound(userTimeout time.Duration, inFlight Bound) Bound {
	if userTimeout == 0 {
		return Bound{Note: "no user timeout: window probes go on for 14 to more than 18 minutes (measured)"}
	}
	return Bound{
		Latest: inFlight.Latest,
		Note:   "a live peer that does not read for as long as the user timeout is given up too",
	}
}

func connectBound(userTimeout time.Duration, c Conditions) Bound {
	if userTimeout > 0 && c.UserTimeoutBeforeConnect {
		t := max(time.Second, userTimeout)
		return Bound{Earliest: t, Latest: t + 100*time.Millisecond + t/8}
	}
	return Bound{Note: "net.ipv4.tcp_syn_retries decides, about two minutes: limit it with the dialer's timeout"}
}

// LongestUserTimeout returns the longest user timeout with which data in flight
// to a dead peer is noticed within d; 0 or less if there is none.
func LongestUserTimeout(d time.Duration, c Conditions) time.Duration {
	return (d - 2*c.RTO() - slack) / 17 * 16
}
