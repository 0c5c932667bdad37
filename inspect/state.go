package inspect

import (
	"fmt"
)

// A State is that of a TCP connection (RFC 9293, section 3.3.2). The numbers
// are Linux's (include/net/tcp_states.h).
type State uint8

const (
	StateUnknown   State = iota // not one of the below
	Established                 // data can flow both ways
	SynSent                     // connecting: no answer yet
	SynReceived                 // a handshake that the other side began
	FinWait1                    // closed here, not yet acknowledged
	FinWait2                    // closed here, the peer may still send
	TimeWait                    // closed on both sides, kept for late segments
	Closed                      // reset, given up, or never connected
	CloseWait                   // closed by the peer
	LastAck                     // closed by the peer, then here: not yet acknowledged
	Listen                      // a listener
	Closing                     // closed on both sides at once
	NewSynReceived              // a handshake that has no socket yet
	BoundInactive               // bound, neither connected nor listening
)

var stateNames = [...]string{
	"UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN",
	"CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "NEW-SYN-RECV", "BOUND-INACTIVE",
}

// String returns the name that ss prints: "ESTAB", "FIN-WAIT-1".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// keepsAlive reports whether the kernel sends keepalive probes in this state
// (tcp_keepalive_timer in net/ipv4/tcp_timer.c).
func (s State) keepsAlive() bool {
	switch s {
	case Established, FinWait1, FinWait2, CloseWait, LastAck, Closing:
		return true
	}
	return false
}

// A StateSet is several states. Its zero value stands for those of a
// connection, as it does for ss: all but LISTEN, TIME-WAIT, SYN-RECV and UNCONN.
type StateSet uint32

// AllStates is every state there is.
const AllStates StateSet = 1<<(BoundInactive+1) - 1

const connected = AllStates &^ (1<<Listen | 1<<TimeWait | 1<<SynReceived | 1<<NewSynReceived | 1<<Closed | 1<<BoundInactive)

// States makes a set.
func States(states ...State) StateSet {
	var set StateSet
	for _, s := range states {
		set |= 1 << s
	}
	return set
}

// Has reports whether s is in the set.
func (set StateSet) Has(s State) bool {
	if set == 0 {
		set = connected
	}
	return set&(1<<s) != 0
}

// mask is what the kernel wants.
func (set StateSet) mask() uint32 {
	if set == 0 {
		set = connected
	}
	return uint32(set)
}
