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
	PeerTimeout       // the kernel gave the peer up: keepalive, user timeout or retransmissions ran out
	Reset             // the peer, or a middlebox that forgot the connection, sent RST; or a write after that
	EndOfStream       // the peer closed its side (io.EOF)
	Closed            // this program ended it: it closed the connection (net.ErrClosed) or cancelled a context
	Deadline          // a deadline set in this program passed; the connection is usable
	DialFailed        // the connection was never made, whatever the reason
)

var causeNames = [...]string{"no error", "other", "peer timeout", "reset", "end of stream", "closed", "deadline", "dial failed"}

// String returns a few words: "peer timeout"; of the error nil, "no error".
func (c Cause) String() string { return enum.Name("Cause", c, causeNames[:]...) }

// CauseOf classifies an error of a connection. It looks through wrapping, such
// as that of net/http and crypto/tls.
//
// It is needed because a dead peer and a deadline look alike: for both
// net.Error's Timeout is true, and code that goes on after a timeout spins on a
// dead connection.
//
//	if sockopt.CauseOf(err) == sockopt.PeerTimeout {
//		// the connection is gone; a deadline, or a dial that failed, is another Cause
//	}
//
// A kernel reports the end of a connection once, to whoever
// reads or writes first; everybody else gets io.EOF or EPIPE, so remember the
// first error.
//
// PeerTimeout is ETIMEDOUT; EHOSTUNREACH, ENETUNREACH and EHOSTDOWN of a read or
// write (data was in flight and an ICMP error had arrived); ENOTCONN of a read
// or write (Multipath TCP, a minute after its last path died); and on Windows
// WSAETIMEDOUT, WSAENETRESET, WSAEHOSTUNREACH, WSAENETUNREACH and
// ERROR_SEM_TIMEOUT. What gave the peer up (keepalive, user timeout,
// retransmission) is not in the error.
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

// isTransfer tells operations that move data from those that set a connection up
// or tear it down.
func isTransfer(op string) bool {
	switch op {
	case "read", "write", "readfrom", "writeto", "writev", "raw-read", "raw-write":
		return true
	}
	return false
}

// operation returns "dial" if one of the operations that the error went through
// is a dial, otherwise the innermost.
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
