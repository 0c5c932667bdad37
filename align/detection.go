package align

import (
	"time"

	"github.com/tcpkeepalive/keepalive/internal/timing"
)

// A Detection is how long the death of a peer may go unnoticed, depending on what
// the connection was doing when the peer, or the way to it, died. Keepalive covers
// only the first.
type Detection struct {
	// Idle: everything sent is acknowledged. Time counts from the last segment
	// received.
	Idle Bound
	// InFlight: data is on its way. Time counts from the write.
	InFlight Bound
	// LateWrite: the program writes just before keepalive gives the peer up,
	// which ends keepalive and starts the user timeout: the worst case of all. Time
	// counts from the death of the peer.
	LateWrite Bound
	// ZeroWindow: the peer had stopped reading, and its receive window is full.
	// Time counts from the death of the peer.
	ZeroWindow Bound
	// Connect: there is no connection yet. Time counts from the first SYN.
	Connect Bound
}

// A Bound is how long the death of a peer may go unnoticed in one phase of a
// connection.
type Bound struct {
	// Phase is the phase in words: "in flight".
	Phase string
	// Since is the moment from which the time counts: "the write".
	Since string
	// Earliest is the shortest time, 0 where it is not known.
	Earliest time.Duration
	// Latest is the longest time, 0 where the kernel promises none.
	Latest time.Duration
	// Note is the reason where nothing is promised, or what the promise depends
	// on; "" if there is nothing to add.
	Note string
}

// Promised reports whether there is a longest time.
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
