package sockopt

import (
	"context"
	"errors"
	"io"
	"net"
	"os"

	"github.com/tcpkeepalive/keepalive/internal/enum"
)

// A Cause says why a connection's Read, Write or Dial failed.
type Cause uint8

const (
	noError     Cause = iota
	OtherCause        // none of the following
	PeerTimeout       // the kernel gave up the peer: keepalive, user timeout or retransmissions ran out
	Reset             // the peer, or a middlebox that forgot the connection, sent RST; or a later write failed
	EndOfStream       // the peer closed its side (io.EOF)
	Closed            // this program ended it: it closed the connection (net.ErrClosed) or cancelled a context
	Deadline          // a deadline set in this program passed; the kernel has not given up the peer
	DialFailed        // the connection was never established, whatever the reason
)

var causeNames = [...]string{"no error", "other", "peer timeout", "reset", "end of stream", "closed", "deadline", "dial failed"}

// String returns a short description, such as "peer timeout", or "no error" for
// the Cause of a nil error.
func (c Cause) String() string { return enum.Name("Cause", c, causeNames[:]...) }

// CauseOf classifies an error of a connection. It unwraps errors, such as those
// of net/http and crypto/tls.
//
// It is needed because a dead peer and a deadline look alike: net.Error's
// Timeout is true for both, and code that continues after a timeout would spin
// on a dead connection.
//
//	if sockopt.CauseOf(err) == sockopt.PeerTimeout {
//		// the connection is gone; a deadline, or a dial that failed, is another Cause
//	}
//
// A kernel reports the end of a connection once, to the first Read or Write;
// later calls return io.EOF or EPIPE, so remember the first error.
//
// PeerTimeout is ETIMEDOUT; EHOSTUNREACH, ENETUNREACH and EHOSTDOWN of a read or
// write (data was in flight and an ICMP error had arrived); ENOTCONN of a read
// or write (Multipath TCP, a minute after its last path died); and on Windows
// WSAETIMEDOUT, WSAENETRESET, WSAEHOSTUNREACH, WSAENETUNREACH and
// ERROR_SEM_TIMEOUT. The error does not say whether keepalive, the user timeout
// or retransmissions gave up the peer.
func CauseOf(err error) Cause {
	if err == nil {
		return noError
	}
	op := operation(err)
	switch {
	case op == "dial":
		return DialFailed
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return Deadline
	case errors.Is(err, context.Canceled), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return Closed
	}
	if cause := causeIn(errnoCauses, err, isTransfer(op)); cause != OtherCause {
		return cause
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return EndOfStream
	}
	return OtherCause
}

// isTransfer reports whether the operation moves data, as opposed to
// establishing or closing a connection.
func isTransfer(op string) bool {
	switch op {
	case "read", "write", "readfrom", "writeto", "writev", "raw-read", "raw-write":
		return true
	}
	return false
}

// operation returns "dial" if the chain of errors contains a dial, otherwise the
// innermost operation.
func operation(err error) string {
	var op string
	var e *net.OpError
	for errors.As(err, &e) {
		op = e.Op
		if op == "dial" {
			break
		}
		err = e.Err
	}
	return op
}
