package inspect

import (
	"errors"
	"fmt"
)

var (
	// ErrPeerClosed means that the peer has closed its side (FIN): it sends
	// nothing more. What it had sent before may still be there to be read.
	ErrPeerClosed = errors.New("the peer has closed the connection")

	// ErrSuspect means that the peer leaves probes or data unanswered, so it may
	// be gone; the kernel has not given it up. See [Health] for the numbers.
	ErrSuspect = errors.New("the peer does not answer")

	// ErrNotConnected means a state that no data can be exchanged in: a listener,
	// a handshake, or closed on this side.
	ErrNotConnected = errors.New("not an open connection")
)

// A Health is what the kernel thinks of a connection's peer.
type Health struct {
	State       State
	Unacked     int // segments in flight
	Retransmits int // of the oldest of them
	Probes      int // keepalive or window probes without an answer
	Backoff     int // how often the time between retransmissions was doubled
}

// Err returns nil where nothing speaks against the connection, otherwise
// [ErrGone], [ErrPeerClosed], [ErrNotConnected] or [ErrSuspect].
func (h Health) Err() error {
	switch {
	case h.State == Closed:
		return ErrGone
	case h.State == CloseWait || h.State == LastAck || h.State == Closing:
		return ErrPeerClosed
	case h.State != Established:
		return ErrNotConnected
	case h.Probes > 0 || h.Retransmits > 0 || h.Backoff > 0:
		return ErrSuspect
	}
	return nil
}

// String reads "ESTAB, 2 probes unanswered, 1 retransmission".
func (h Health) String() string {
	s := h.State.String()
	if h.Probes > 0 {
		s += ", " + count(h.Probes, "probe") + " unanswered"
	}
	if h.Retransmits > 0 {
		s += ", " + count(h.Retransmits, "retransmission")
	}
	return s
}

// Alive returns nil unless something speaks against the connection c, which is
// what [Of] takes. It is the check that a pool makes before it hands a
// connection out:
//
//   - [ErrGone]: reset, or given up by keepalive, retransmission or user timeout;
//   - [ErrPeerClosed]: the peer has sent FIN;
//   - [ErrSuspect]: probes or data are unanswered right now;
//   - [ErrNotConnected]: connecting, closed here, or a listener.
//
// A peer that vanished in silence is noticed when the first probe stays
// unanswered, not before. Alive reads no byte, and does not look whether there
// are any; the error that waits for the next Read or Write is left there. It
// does not wait, also not for a Read that is blocked. Where the kernel does not
// tell (all but Linux), the error wraps [errors.ErrUnsupported].
//
// [Handle.Alive] does the same without allocating.
func Alive(c any) error {
	h, err := NewHandle(c)
	if err != nil {
		return err
	}
	return h.Alive()
}

// Alive is the function [Alive].
func (h *Handle) Alive() error {
	health, err := h.Health()
	if err != nil {
		return err
	}
	return health.Err()
}

// Health returns what Alive judges by: one getsockopt (TCP_INFO). For Multipath
// TCP it is about the connection as a whole.
func (h *Handle) Health() (Health, error) {
	v := take(h, (*visit).askActivity)
	defer v.release()
	if err := v.do(); err != nil {
		return Health{}, err
	}
	a := &v.report.Activity
	return Health{v.report.State, a.Unacked, a.Retransmits, a.Probes, a.Backoff}, nil
}

func fmtUnsupported(what, goos string) error {
	return fmt.Errorf("inspect: %s unknown on %s: %w", what, goos, errors.ErrUnsupported)
}
