package timing

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/enum"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
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

// Phases returns all phases.
func Phases() []Phase {
	return []Phase{PhaseIdle, PhaseInFlight, PhaseLateWrite, PhaseZeroWindow, PhaseConnect}
}

// String returns "idle", "in flight", "late write", "zero window" or "connect".
func (p Phase) String() string {
	if p < phases {
		return phaseTexts[p].name
	}
	return enum.Name("Phase", p)
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
	// Retries are the limits of the kernel: [kernel.SystemRetries] for this
	// machine, [kernel.SystemRetriesOf] for one socket. The zero value stands for
	// [kernel.DefaultRetries].
	Retries kernel.Retries
	// Multipath: the connection is one of Multipath TCP, with one subflow. A
	// program learns that it has died only after net.mptcp.close_timeout.
	Multipath bool
}

func (c Conditions) retries() kernel.Retries {
	if c.Retries == (kernel.Retries{}) {
		return kernel.DefaultRetries()
	}
	return c.Retries
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
	return c.retries().Validate()
}

const (
	minRTO = 200 * time.Millisecond // TCP_RTO_MIN
	maxRTT = 120 * time.Second      // TCP_RTO_MAX
	slack  = 100 * time.Millisecond // for the lateness of the first two timers; up to 0.07 s was measured
	minHZ  = 24
	maxHZ  = 1200
)
