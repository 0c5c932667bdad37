package inspect

import (
	"fmt"
	"sync"
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
		return nil, err
	}
	h := &Handle{rc: rc}
	v := take(h, (*visit).identify)
	defer v.release()
	if err := v.do(); err != nil {
		return nil, err
	}
	return h, nil
}

// Report returns everything that is known about the socket.
func (h *Handle) Report() (Report, error) {
	v := take(h, (*visit).look)
	defer v.release()
	err := v.do()
	return v.report, err
}

// Timer returns the timer alone: on Linux with one exact netlink query. The
// error says why the timer is not known.
func (h *Handle) Timer() (Timer, error) {
	v := take(h, (*visit).askTimer)
	defer v.release()
	err := v.do()
	return v.report.Timer, err
}

// tcpKind is the kind of a TCP socket.
func tcpKind(fd uintptr) (kernel.Kind, error) {
	kind, err := kernel.KindOf(kernel.System(), fd)
	switch {
	case err != nil:
		return kind, fmt.Errorf("inspect: %w: %w", socket.ErrNoSocket, err)
	case kind == kernel.NotTCP:
		return kind, fmt.Errorf("inspect: %w", socket.ErrNotTCP)
	}
	return kind, nil
}

// A visit is one use of a socket's descriptor. RawConn.Control takes a function,
// and a closure made for each use would be allocated each time, so visits are
// pooled together with their closures.
type visit struct {
	run func(fd uintptr) // always (*visit).step of this visit

	handle *Handle
	task   func(*visit, uintptr) error
	report Report
	health health
	err    error
	multipath
}

var visits = sync.Pool{New: func() any {
	v := new(visit)
	v.run = v.step
	return v
}}

func take(h *Handle, task func(*visit, uintptr) error) *visit {
	v := visits.Get().(*visit)
	v.handle, v.task = h, task
	return v
}

func (v *visit) step(fd uintptr) { v.err = v.task(v, fd) }

// do returns the error of getting the descriptor, or that of the task.
func (v *visit) do() error {
	if v.handle.rc == nil {
		return fmt.Errorf("inspect: a Handle that NewHandle has not made: %w", socket.ErrNoSocket)
	}
	if err := v.handle.rc.Control(v.run); err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	return v.err
}

func (v *visit) release() {
	v.handle, v.task, v.report, v.health, v.err = nil, nil, Report{}, health{}, nil
	visits.Put(v)
}
