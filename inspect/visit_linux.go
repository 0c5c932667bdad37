package inspect

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/procnet"
	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A target identifies a socket in the kernel's tables.
type target struct {
	id        sockdiag.ID
	namespace uint64
	kind      kernel.Kind
}

// identify runs once, because neither a connection nor a listener changes its
// addresses. A socket whose addresses are already gone can be found only by its
// cookie.
func (v *visit) identify(fd uintptr) (err error) {
	if v.handle.target.kind, err = tcpKind(fd); err != nil {
		return err
	}
	return v.locate(fd)
}

func (v *visit) locate(fd uintptr) (err error) {
	t := &v.handle.target
	if t.id, err = sockdiag.Identify(int(fd)); err != nil {
		return err
	}
	t.namespace = sockdiag.NamespaceOf(int(fd))
	return nil
}

// look fills the report.
func (v *visit) look(fd uintptr) (err error) {
	r, t := &v.report, &v.handle.target
	r.Multipath = t.kind == kernel.MultipathTCP
	r.Local, r.Peer, r.Inode = t.id.Local, t.id.Remote, t.id.Inode
	r.Settings, err = kernel.Current().Read(kernel.System(), fd)
	if err != nil {
		return err
	}
	if err := v.askActivity(fd); err != nil {
		r.Unknown = err
	}
	state := r.State // of the whole connection, if it is one of Multipath TCP
	if r.State == Closed {
		r.Timer, r.Unknown = Timer{Kind: timerOff}, ErrGone
		return nil
	}
	v.askTables(fd)
	if r.Timer.Kind == timerOn || r.Timer.Kind == timerPersist || r.Activity.Unacked > 0 || r.Activity.WindowClosed {
		if limits, err := kernel.SystemRetriesOf(fd); err == nil { // otherwise Explain says that they are unknown
			r.Retries = (*platform.Retries)(&limits)
		}
	}
	if t.kind == kernel.MultipathTCP && r.Activity.Known {
		r.Subflow, r.State = r.State, state
	}
	v.disbelieve()
	return nil
}

// disbelieve replaces an impossible answer by unknown: a sandbox may report no
// timer where one must be running.
func (v *visit) disbelieve() {
	r := &v.report
	if r.State == Established && r.Timer.Kind == timerOff && r.Settings.Known.Has(platform.KeepAlive) && r.Settings.Enabled {
		r.Timer = Timer{}
		r.Unknown = fmt.Errorf("keepalive is on, yet %v shows no timer", r.Source)
	}
}

// askTables fills in what sock_diag reports, or else what /proc shows.
func (v *visit) askTables(fd uintptr) {
	r, t := &v.report, &v.handle.target
	id := &t.id
	if !id.Connected() && !id.Listening { // it was still connecting when the handle was made
		again, err := sockdiag.Identify(int(fd))
		if err != nil {
			r.Unknown = err
			return
		}
		id = &again
		r.Local, r.Peer = id.Local, id.Remote
	}
	conn, err := sockdiag.Borrow(t.namespace)
	if err == nil {
		defer conn.Return()
		var m sockdiag.Message
		if id.Connected() || id.Listening {
			m, err = conn.Lookup(id, 0)
		} else {
			m, err = conn.Search(id)
		}
		if err == nil {
			r.fill(m)
			return
		}
		if errors.Is(err, sockdiag.ErrNotFound) {
			err = notFound(conn, t)
		}
		if t.kind == kernel.MultipathTCP && !id.Listening && (errors.Is(err, ErrGone) || errors.Is(err, sockdiag.ErrUntrue)) {
			err = errFirstSubflow // ErrUntrue: a listener has taken its place
		}
	}
	if errors.Is(err, sockdiag.ErrOtherNamespace) {
		err = ErrOtherNamespace
	}
	r.Unknown = err
	if errors.Is(err, ErrOtherNamespace) || errors.Is(err, ErrGone) || errors.Is(err, errFirstSubflow) {
		return // /proc has no more information
	}
	entry, err := procnet.Lookup(id.Local, id.Remote, uint64(id.Inode))
	if err != nil {
		r.Unknown = fmt.Errorf("%w; %w", r.Unknown, err)
		return
	}
	r.fillProc(&entry)
}

// errFirstSubflow does not mean the end of the connection; look has already
// handled that.
var errFirstSubflow = errors.New("the first subflow, which has the timer, is gone")

// notFound finds out why sock_diag did not find the socket.
func notFound(conn *sockdiag.Conn, t *target) error {
	if t.namespace == 0 {
		return fmt.Errorf("%w, or the socket is in another one", sockdiag.ErrNotFound) // before Linux 5.14
	}
	works, err := conn.Works()
	switch {
	case err != nil:
		return errors.Join(sockdiag.ErrNotFound, err)
	case works:
		return ErrGone
	}
	return errors.New("sock_diag finds no TCP socket at all: the kernel lacks the module tcp_diag")
}

// fill copies the answer of sock_diag.
func (r *Report) fill(m sockdiag.Message) {
	r.Source = sourceSockDiag
	r.State = stateOf(m.State())
	r.Local, r.Peer = m.Local(), m.Remote()
	r.Device = m.Device()
	r.Timer = Timer{timerKind(m.Timer()), m.Expires(), int(m.Retrans())}
	r.RecvQueue, r.SendQueue = m.RecvQueue(), m.SendQueue()
	r.UID, r.Inode, r.Cookie = m.UID(), m.Inode(), m.Cookie()
}

// fillProc copies a line of /proc/net/tcp.
func (r *Report) fillProc(e *procnet.Entry) {
	r.Source = sourceProcNet
	r.State = stateOf(e.State)
	r.Local, r.Peer = e.Local, e.Remote
	r.Timer = Timer{timerKind(e.Timer), e.Left, e.Probes}
	switch {
	case r.Timer.Kind == timerOn:
		r.Timer.Unanswered = e.Retransmits
	case r.Timer.Kind == timerOff && !showsActivity():
		r.Timer = Timer{}
	}
	r.RecvQueue, r.SendQueue = e.RecvQueue, e.SendQueue
	r.UID, r.Inode = e.UID, uint32(e.Inode)
}

// showsActivity reports whether the times of TCP_INFO and the timers of /proc/net/tcp are
// real.
func showsActivity() bool { return kernel.Current().ShowsActivity == platform.Yes }

// askActivity reads TCP_INFO.
func (v *visit) askActivity(fd uintptr) error {
	if err := v.askHealth(fd); err != nil {
		return err
	}
	v.report.State = v.health.State
	if v.report.State != Listen { // in a listener the same fields count connections
		v.report.Activity = activityOf(&v.info)
		v.report.Activity.Known = showsActivity()
	}
	return nil
}

// askAlive reads the health of a socket that has not been identified. The protocol is
// enough to choose between the two ways; a socket that has TCP's protocol number and is
// not TCP refuses TCP_INFO.
func (v *visit) askAlive(fd uintptr) error {
	protocol, err := kernel.System().Get(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	switch {
	case err != nil:
		return fmt.Errorf("%w: getsockopt SO_PROTOCOL: %w", sockopt.ErrNoSocket, err)
	case protocol == unix.IPPROTO_MPTCP:
		v.handle.target.kind = kernel.MultipathTCP
		if err := v.locate(fd); err != nil {
			return err
		}
	case protocol == unix.IPPROTO_TCP:
		v.handle.target.kind = kernel.TCP
	default:
		return sockopt.ErrNotTCP
	}
	return v.askHealth(fd)
}

// askHealth reads TCP_INFO and, for Multipath TCP, the state of the whole
// connection.
func (v *visit) askHealth(fd uintptr) error {
	if err := v.info.Read(fd); err != nil {
		return err
	}
	v.health = healthOf(&v.info)
	if v.handle.target.kind == kernel.MultipathTCP && v.health.State != Listen {
		v.askMultipath(fd)
	}
	return nil
}
