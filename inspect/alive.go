package inspect

import (
	"errors"
	"fmt"

	"github.com/tcpkeepalive/keepalive/internal/socket"
)

var (
	// ErrPeerClosed means that the peer has closed its side (FIN): it sends
	// nothing more. Data that it sent before may still be waiting to be read.
	ErrPeerClosed = errors.New("the peer has closed the connection")

	// ErrSuspect means that the peer leaves probes or data unanswered, so it may
	// be gone; the kernel has not given up on it yet.
	ErrSuspect = errors.New("the peer does not answer")

	// ErrNotConnected means a state in which no data can be exchanged: a
	// listener, a handshake, or a connection closed on this side.
	ErrNotConnected = errors.New("not an open connection")
)

// A health is the kernel's view of a connection and its peer.
type health struct {
	State       State
	Unacked     int // segments in flight
	Retransmits int // of the oldest segment in flight
	// Probes is the number of unanswered keepalive or window probes. A window
	// probe counts only when its answer is overdue; a keepalive probe counts
	// from the moment it is sent until its answer arrives.
	Probes int
	// Backoff is how often the time between retransmissions or window probes was
	// doubled. It proves nothing by itself: it also grows while a peer that does
	// not read answers every window probe.
	Backoff int
	// WindowClosed means that data waits because the peer does not read. The
	// kernel sends window probes for as long as they are answered.
	WindowClosed bool
	// PathLost means that a Multipath TCP connection has no subflow left. The
	// kernel gives it up after net.mptcp.close_timeout, a minute.
	PathLost bool
}

// err returns nil if there is no sign of trouble, otherwise an error that wraps
// [ErrGone], [ErrPeerClosed], [ErrNotConnected] or [ErrSuspect].
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

// String returns "ESTAB, 2 probes unanswered, 1 retransmission".
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

// Alive returns nil if there is no sign that the connection c is broken. c is
// anything that [Of] accepts. A pool makes this check before it hands out a
// connection. The error wraps:
//
//   - [ErrGone]: reset, or given up by keepalive, retransmission or user timeout;
//   - [ErrPeerClosed]: the peer has sent FIN;
//   - [ErrSuspect]: probes or data are unanswered right now. A peer that merely does
//     not read is not suspect: it answers window probes;
//   - [ErrNotConnected]: connecting, closed here, or a listener.
//
// A peer that vanished silently is noticed when the first probe stays
// unanswered, not before. Alive reads no data and does not check whether there
// is any; it leaves a pending socket error for the next Read or Write. It
// does not wait for the peer, nor for another goroutine that is blocked in Read. Where the kernel
// does not provide the state (every system except Linux), the error wraps
// [errors.ErrUnsupported].
//
// Alive makes two system calls (getsockopt SO_PROTOCOL and TCP_INFO), and a few more for
// Multipath TCP. [Handle.Alive] needs only one, and does not allocate.
func Alive(c any) error {
	rc, err := socket.Find(c)
	if err != nil {
		return named(err)
	}
	h := Handle{rc: rc}
	return h.alive((*visit).askAlive)
}

// Alive does what the function [Alive] does. For plain TCP it makes one system call
// (TCP_INFO). For Multipath TCP it makes three more and a netlink query, because the
// connection as a whole has its own state, and its peer answers as long as one subflow is
// answered.
func (h *Handle) Alive() error { return h.alive((*visit).askHealth) }

func (h *Handle) alive(ask func(*visit, uintptr) error) error {
	v, err := h.visit(ask)
	defer release(v)
	if err != nil {
		return err
	}
	return named(v.Data.health.err())
}
