package inspect

import (
	"fmt"

	"github.com/tcpkeepalive/keepalive/internal/enum"
)

// A State is the state of a TCP connection (RFC 9293, section 3.3.2). The
// numbers are those of Linux (include/net/tcp_states.h).
type State uint8

const (
	StateUnknown  State = iota // none of the states below
	Established                // data can flow both ways
	SynSent                    // connecting, not answered yet
	SynReceived                // a handshake that the peer began
	FinWait1                   // closed on this side, not yet acknowledged
	FinWait2                   // closed on this side, the peer may still send
	TimeWait                   // closed on both sides, kept for late segments
	Closed                     // reset, given up, or never connected
	CloseWait                  // closed by the peer
	LastAck                    // closed by the peer, then on this side, not yet acknowledged
	Listen                     // a listener
	Closing                    // closed on both sides at once
	_                          // TCP_NEW_SYN_RECV, which the kernel shows as SynReceived
	BoundInactive              // bound, neither connected nor listening
)

const newSynReceived = 12

var stateNames = [...]string{
	"UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN",
	"CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "SYN-RECV", "BOUND-INACTIVE",
}

// stateOf returns the State for the kernel's number.
func stateOf(n uint8) State {
	if n == newSynReceived {
		return SynReceived
	}
	return State(n)
}

// String returns the name that ss prints: "ESTAB", "FIN-WAIT-1".
func (s State) String() string { return enum.Name("State", s, stateNames[:]...) }

// keepsAlive reports whether the kernel sends keepalive probes in this state
// (tcp_keepalive_timer in net/ipv4/tcp_timer.c).
func (s State) keepsAlive() bool {
	switch s {
	case Established, FinWait1, FinWait2, CloseWait, LastAck, Closing:
		return true
	}
	return false
}

// A stateMask is a set of states, in the kernel's form.
type stateMask uint32

const allStates stateMask = 1<<(BoundInactive+1) - 1

// connected is what ss lists without a filter.
const connected = 1<<Established | 1<<SynSent | 1<<FinWait1 | 1<<FinWait2 | 1<<CloseWait | 1<<LastAck | 1<<Closing

// maskOf returns the mask for the States of a Filter.
func maskOf(states []State) (stateMask, error) {
	var mask stateMask
	for _, s := range states {
		if s == StateUnknown || s > BoundInactive {
			return 0, fmt.Errorf("Filter.States: %v is not a state of a socket", s)
		}
		if mask |= 1 << s; s == SynReceived {
			mask |= 1 << newSynReceived
		}
	}
	if mask == 0 {
		mask = connected
	}
	return mask, nil
}

func (m stateMask) has(s State) bool { return m&(1<<s) != 0 }
