package inspect

import (
	"errors"
	"fmt"

	"github.com/tcpkeepalive/keepalive/internal/socket"
)

var (
	// ErrPeerClosed means that the peer has closed its side (FIN): it sends
	// nothing more. What it had sent before may still be there to be read.
	ErrPeerClosed = errors.New("the peer has closed the connection")

	// ErrSuspect means that the peer leaves probes or data unanswered, so it may
	// be gone; the kernel has not given it up.
	ErrSuspect = errors.New("the peer does not answer")

	// ErrNotConnected means a state that no data can be exchanged in: a listener,
	// a handshake, or closed on this side.
	ErrNotConnected = errors.New("not an open connection")
)

// A health is what the kernel thinks of a connection's peer.
type health struct {
	State       State
	Unacked     int // segments in flight
	Retransmits int // of the oldest of them
	// Probes is how many keepalive or window probes are without an answer. A
	// window probe whose answer is not overdue is not one of them; a keepalive
	// probe is, for the round trip until its answer comes.
	Probes int
	// Backoff is how often the time between retransmissions or window probes was
	// doubled. It says nothing by itself: it grows while a peer that reads nothing
	// answers every probe.
	Backoff int
	// WindowClosed: data waits until the peer reads, which it does not now. The
	// kernel asks with window probes, for as long as they are answered.
	WindowClosed bool
	// PathLost: the connection is one of Multipath TCP, none of whose subflows is
	// left. The kernel gives it up after net.mptcp.close_timeout, a minute.
	PathLost bool
}

// err returns nil where nothing speaks against the connection, otherwise an error
// that wraps [ErrGone], [ErrPeerClosed], [ErrNotConnected] or [ErrSuspect].
func (h health) err() error {
	switch {
	case h.State == Closed:
		return ErrGone
	case h.State == CloseWait || h.State == LastAck || h.State == Closing:
		return ErrPeerClosed
	case h.State != Established:
		return fmt.Errorf("%w: %v", ErrNotConnected, h.State)
	case h.Probes > 0 || h.Retransmits > 0 || h.PathLost:
		return fmt.Errorf("%w: %v", ErrSuspect, h)
	}
	return nil
}

// String reads "ESTAB, 2 probes unanswered, 1 retransmission".
func (h health) String() string {
	s := h.State.String()
	if h.Probes > 0 {
		s += ", " + count(h.Probes, "probe") + " unanswered"
	}
	if h.Retransmits > 0 {
		s += ", " + count(h.Retransmits, "retransmission")
	}
	if h.WindowClosed {
		s += ", the peer's window is closed"
	}
	if h.PathLost {
		s += ", no subflow is left"
	}
	return s
}

// Alive returns nil unless something speaks against the connection c, which is
// what [Of] takes. It is the check that a pool makes before it hands a
// connection out. The error wraps:
//
//   - [ErrGone]: reset, or given up by keepalive, retransmission or user timeout;
//   - [ErrPeerClosed]: the peer has sent FIN;
//   - [ErrSuspect]: probes or data are unanswered right now. A peer that only does
//     not read is not suspect: it answers the probes of its window;
//   - [ErrNotConnected]: connecting, closed here, or a listener.
//
// A peer that vanished in silence is noticed when the first probe stays
// unanswered, not before. Alive reads no byte, and does not look whether there
// are any; the error that waits for the next Read or Write is left there. It
// does not wait, also not for a Read that is blocked. Where the kernel does not
// tell (all but Linux), the error wraps [errors.ErrUnsupported].
//
// It takes two system calls (getsockopt SO_PROTOCOL and TCP_INFO), for Multipath TCP
// some more. [Handle.Alive] does the same with one, without allocating.
func Alive(c any) error {
	rc, err := socket.RawConn(c)
	if err != nil {
		return err
	}
	h := Handle{rc: rc}
	v := take(&h, (*visit).askAlive)
	defer v.release()
	if err := v.do(); err != nil {
		return err
	}
	return v.health.err()
}

// Alive is the function [Alive]. For plain TCP it takes one system call (TCP_INFO); for
// Multipath TCP three calls more and a question over netlink: the connection as a whole
// has a state of its own, and its peer answers as long as it does on one subflow.
func (h *Handle) Alive() error {
	v := take(h, (*visit).askHealth)
	defer v.release()
	if err := v.do(); err != nil {
		return err
	}
	return v.health.err()
}

func fmtUnsupported(what, goos string) error {
	return fmt.Errorf("inspect: %s unknown on %s: %w", what, goos, errors.ErrUnsupported)
}
