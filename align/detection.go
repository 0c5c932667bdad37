package align

import (
	"time"

	"github.com/tcpkeepalive/keepalive/internal/timing"
)

// A Detection says how long the death of a peer may go unnoticed. That depends on what
// the connection was doing when the peer, or the path to it, died. Keepalive only
// notices it on an idle connection.
type Detection struct {
	// Idle applies while everything that was sent is acknowledged. Time counts from
	// the last segment received.
	Idle Bound
	// InFlight applies while data is not acknowledged yet. Time counts from the write.
	InFlight Bound
	// LateWrite applies if the program writes just before keepalive gives the peer up.
	// The write ends keepalive and starts the user timeout, so this takes longest.
	// Time counts from the death of the peer.
	LateWrite Bound
	// ZeroWindow applies if the peer had stopped reading, and its receive window is
	// full. Time counts from the death of the peer.
	ZeroWindow Bound
	// Connect applies before there is a connection. Time counts from the first SYN.
	Connect Bound
}

// A Bound says how long the death of a peer may go unnoticed in one phase of a
// connection.
type Bound struct {
	// Phase names the phase, for people: "idle", "in flight", "late write", "zero
	// window" or "connect". A program has the fields of [Detection].
	Phase string
	// Since names the moment from which the time counts, for people: "the write".
	Since string
	// Earliest is the shortest time. It is 0 if it is not known.
	Earliest time.Duration
	// Latest is the longest time. It is 0 if the kernel promises none.
	Latest time.Duration
	// Note says why nothing is promised, or what the promise depends on. It is "" if
	// there is nothing to add.
	Note string
}

// Promised reports whether the kernel promises a longest time.
func (b Bound) Promised() bool { return b.Latest > 0 }

// Bounds returns the five bounds, in the order of the fields.
func (d Detection) Bounds() []Bound {
	return []Bound{d.Idle, d.InFlight, d.LateWrite, d.ZeroWindow, d.Connect}
}

func detectionOf(d timing.Detection) Detection {
	bound := func(p timing.Phase) Bound {
		return Bound{Phase: p.String(), Since: p.Since(), Earliest: d[p].Earliest, Latest: d[p].Latest, Note: d[p].Note}
	}
	return Detection{
		Idle: bound(timing.PhaseIdle), InFlight: bound(timing.PhaseInFlight), LateWrite: bound(timing.PhaseLateWrite),
		ZeroWindow: bound(timing.PhaseZeroWindow), Connect: bound(timing.PhaseConnect),
	}
}
