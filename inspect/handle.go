package inspect

import (
	"cmp"
	"fmt"
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
)

// Of reports on the TCP connection or listener below c: a net.Conn, a
// net.Listener, a [syscall.Conn] or a [syscall.RawConn]; wrappers with a
// SyscallConn or NetConn method (tls.Conn) are unwrapped.
//
// The Report marks what cannot be known; that is not an error. An error means
// that there is nothing to report: it wraps [sockopt.ErrNotTCP],
// [sockopt.ErrNoSocket] or [net.ErrClosed], or joins a [*platform.OptionError]
// for each getsockopt that failed.
func Of(c any) (Report, error) {
	h, err := NewHandle(c)
	if err != nil {
		return Report{}, err
	}
	return h.Report()
}

// A Handle is one connection or listener, kept for repeated inspection. Its
// methods do not allocate, unless they return an error, or data is in flight and
// Report reads the limits that apply to it. A Handle does not keep the
// connection open and need not be closed; after the connection is closed its
// methods return an error that wraps [net.ErrClosed]. It is safe for concurrent
// use, even while a Read or Write is blocked.
//
// All handles of a program share up to four netlink sockets, which stay open.
type Handle struct {
	rc     syscall.RawConn
	target target
}

// NewHandle finds the socket below c. c is anything that [Of] accepts.
func NewHandle(c any) (*Handle, error) {
	rc, err := socket.Find(c)
	if err != nil {
		return nil, named(err)
	}
	h := &Handle{rc: rc}
	v, err := h.visit((*visit).identify)
	defer release(v)
	if err != nil {
		return nil, err
	}
	return h, nil
}

// Report returns everything that is known about the socket.
func (h *Handle) Report() (Report, error) {
	v, err := h.visit((*visit).look)
	defer release(v)
	return v.Data.report, err
}

// tcpKind is the kind of a TCP socket.
func tcpKind(fd uintptr) (kernel.Kind, error) {
	kind, err := kernel.KindOf(kernel.System(), fd)
	switch {
	case err != nil:
		return kind, fmt.Errorf("%w: %w", socket.ErrNoSocket, err)
	case kind == kernel.NotTCP:
		return kind, socket.ErrNotTCP
	}
	return kind, nil
}

// A visit is what one use of a socket's descriptor needs and finds out.
type visit struct {
	handle *Handle
	report Report
	health health
	multipath
}

var visits socket.Visits[visit]

// visit does a task with the descriptor. The caller releases the result, also after an
// error.
func (h *Handle) visit(task func(*visit, uintptr) error) (*socket.Visit[visit], error) {
	v := visits.Get()
	if h.rc == nil {
		return v, named(fmt.Errorf("a Handle that NewHandle has not made: %w", socket.ErrNoSocket))
	}
	v.Data.handle = h
	inner, outer := v.On(h.rc, task)
	return v, named(cmp.Or(outer, inner))
}

// release does not clear what TCP_INFO has filled in: it is large, and refers to nothing.
func release(v *socket.Visit[visit]) {
	v.Data.handle, v.Data.report, v.Data.health = nil, Report{}, health{}
	visits.Put(v)
}
