package timing

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/enum"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

// A Phase is the state of a connection when its peer, or the path to it, died.
// Keepalive covers only PhaseIdle.
type Phase uint8

const (
	// PhaseIdle means that everything sent is acknowledged. The time counts from
	// the last segment received.
	PhaseIdle Phase = iota
	// PhaseInFlight means that data is unacknowledged. The time counts from the write.
	PhaseInFlight
	// PhaseLateWrite means that the program writes just before keepalive gives
	// up the peer. That suspends keepalive and starts the user timeout, which is
	// the worst case of all phases. The time counts from the death of the peer.
	PhaseLateWrite
	// PhaseZeroWindow means that the peer had stopped reading, and its receive
	// window is full. The time counts from the death of the peer.
	PhaseZeroWindow
	// PhaseConnect means that the connection is not established yet. The time
	// counts from the first SYN.
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

// String returns "idle", "in flight", "late write", "zero window" or "connect".
func (p Phase) String() string {
	if p < phases {
		return phaseTexts[p].name
	}
	return enum.Name("Phase", p)
}

// Since returns the moment from which the time of this phase counts.
func (p Phase) Since() string {
	if p < phases {
		return phaseTexts[p].since
	}
	return "unknown"
}

// A Bound says how long the death of a peer may go unnoticed.
type Bound struct {
	// Earliest is the shortest time, 0 if it is not known.
	Earliest time.Duration
	// Latest is the longest time, 0 if the kernel guarantees none.
	Latest time.Duration
	// Note says why nothing is guaranteed, or what the guarantee depends on; ""
	// if there is nothing to add.
	Note string
}

// Promised reports whether there is a longest time.
func (b Bound) Promised() bool { return b.Latest > 0 }

// A Detection has the bound of each [Phase]: d[PhaseInFlight].Latest.
type Detection [phases]Bound

// Conditions are what detection depends on besides the settings of the socket.
// The zero value is the usual case.
type Conditions struct {
	// RTT is the round trip time to the peer; 0 stands for [DefaultRTT]. Its
	// variation is assumed to be at most half of it.
	RTT time.Duration
	// HZ is CONFIG_HZ of the kernel, which determines how late its timers may
	// be. 0 stands for the worst of 100, 250, 300 and 1000.
	HZ int
	// UserTimeoutBeforeConnect means that the user timeout is set before
	// connecting, so that it also bounds the handshake.
	UserTimeoutBeforeConnect bool
	// Retries are the limits of the kernel: [kernel.SystemRetries] for this
	// machine, [kernel.SystemRetriesOf] for one socket. The zero value stands for
	// [kernel.DefaultRetries].
	Retries kernel.Retries
	// Multipath means a Multipath TCP connection with one subflow. The program
	// is notified of its end only after net.mptcp.close_timeout.
	Multipath bool
}

func (c Conditions) retries() kernel.Retries {
	if c.Retries == (kernel.Retries{}) {
		return kernel.DefaultRetries()
	}
	return c.Retries
}

// DefaultRTT is the round trip time of [Conditions] whose RTT is 0.
const DefaultRTT = 100 * time.Millisecond

func (c Conditions) rtt() time.Duration {
	if c.RTT == 0 {
		return DefaultRTT
	}
	return c.RTT
}

// RTO returns the longest retransmission timeout before anything is lost: SRTT +
// max(200 ms, 4*RTTVAR), RFC 6298 with Linux's minimum.
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
