package inspect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/internal/procnet"
	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
	"github.com/tcpkeepalive/keepalive/internal/tcpinfo"
	"github.com/tcpkeepalive/keepalive/platform"
)

// list also returns nil if add ended the list.
func (q *query) list(add func(*Report) bool) error {
	l := lister{query: q, add: add}
	err := l.fromSockDiag()
	switch {
	case err == nil && l.whole.err == nil:
	case err == nil && errors.Is(l.whole.err, sockdiag.ErrInterrupted), errors.Is(err, sockdiag.ErrInterrupted):
		return ErrTableChanged
	case err == nil: // /proc does not have these states either
		return fmt.Errorf("the states of Multipath TCP connections: %w", l.whole.err)
	case errors.Is(err, netns.ErrNotEntered):
		return err
	case l.listed, exhausted(err): // this says nothing about sock_diag
		return fmt.Errorf("the list is not complete: %w", err)
	default:
		if procErr := l.fromProc(); procErr != nil {
			return fmt.Errorf("%w; %w", err, procErr)
		}
	}
	return nil
}

// exhausted reports whether the program or the machine has run out of
// descriptors or memory.
func exhausted(err error) bool {
	for _, errno := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// A lister is one use of List.
type lister struct {
	query  *query
	add    func(*Report) bool
	report Report
	listed bool // at least one socket was listed
	liar   bool // the answer is that of a sandbox, with zeros

	compare bool // the kernel did not compare everything
	whole   wholeStates
}

func (l *lister) fromSockDiag() error {
	var conn *sockdiag.Conn
	err := netns.Do(l.query.Namespace, func() (err error) {
		conn, err = sockdiag.Open()
		return err
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	local, localWhole := program(l.query.local, sockdiag.Local)
	peer, peerWhole := program(l.query.peer, sockdiag.Remote)
	l.compare = l.compare || !localWhole || !peerWhole
	q := sockdiag.Query{States: l.mask(), Filter: sockdiag.And(local, peer)}
	if l.query.Activity {
		q.Extensions |= sockdiag.ExtInfo
	}
	q.Family = netlinkFamily(l.query.network())
	err = conn.Dump(&q, l.visit)
	switch {
	case l.liar:
		return sockdiag.ErrUntrue
	case sockdiag.Stopped(err):
		return nil
	}
	return err
}

func netlinkFamily(network string) uint8 {
	switch network {
	case "tcp4":
		return unix.AF_INET
	case "tcp6":
		return unix.AF_INET6
	}
	return sockdiag.BothFamilies
}

// maxProgram bounds the filter program to a few hundred endpoints. The kernel
// runs it on each socket, under a lock, one endpoint after another until one
// matches, and verifies it first, which takes quadratic time. Beyond this size
// it is as fast to compare here.
const maxProgram = 8 << 10

// program returns the filter that the kernel runs on each socket, and whether it
// compares everything. A condition that the filter cannot express lets more
// sockets pass.
func program(endpoints []endpoint.Endpoint, side sockdiag.Side) (filter sockdiag.Filter, whole bool) {
	whole = true
	for i := range endpoints {
		e := &endpoints[i]
		var both sockdiag.Filter
		if low, high, limited := e.Ports(); limited {
			both = sockdiag.Ports(side, low, high)
		}
		if e.Prefix.IsValid() {
			both = sockdiag.And(both, sockdiag.Prefix(side, e.Prefix))
		}
		if i == 0 {
			filter = both
		} else {
			filter = sockdiag.Or(filter, both)
		}
		if len(filter) > maxProgram {
			return nil, false
		}
		whole = whole && e.Device == 0
	}
	return filter, whole
}

func (l *lister) visit(m sockdiag.Message) bool {
	r := &l.report
	r.fill(m)
	if r.State == StateUnknown {
		l.liar = true
		return false
	}
	r.Multipath, r.Subflow = false, StateUnknown
	if l.query.Activity || l.query.Detail {
		l.fillAttributes(m)
	}
	l.listed = true
	if (l.compare || r.Multipath) && !l.query.matches(r) {
		return true // on to the next socket
	}
	return l.add(r)
}

func (l *lister) fillAttributes(m sockdiag.Message) {
	r := &l.report
	r.Activity, r.Mark, r.CgroupID, r.V6Only, r.Shutdown = Activity{}, 0, 0, platform.Unknown, ""
	m.Attributes(func(kind uint16, value []byte) {
		switch {
		case kind == sockdiag.AttrInfo:
			var info tcpinfo.Info
			if r.State != Listen && info.Decode(value) {
				r.Activity = activityOf(&info)
			}
		case kind == sockdiag.AttrULP:
			if sockdiag.IsSubflow(value) {
				r.Multipath, r.Subflow = true, r.State
				r.State = l.whole.of(r, l.query.Namespace)
			}
		case l.query.Detail:
			r.fillDetail(kind, value)
		}
	})
}

func (r *Report) fillDetail(kind uint16, value []byte) {
	switch {
	case kind == sockdiag.AttrMark && len(value) >= 4:
		r.Mark = binary.NativeEndian.Uint32(value)
	case kind == sockdiag.AttrCgroupID && len(value) >= 8:
		r.CgroupID = binary.NativeEndian.Uint64(value)
	case kind == sockdiag.AttrV6Only && len(value) >= 1:
		r.V6Only = platform.No
		if value[0] != 0 {
			r.V6Only = platform.Yes
		}
	case kind == sockdiag.AttrShutdown && len(value) >= 1:
		r.Shutdown = shutdowns[value[0]&3]
	}
}

// stillOpen reports for each socket whether a process still has it open. If that is
// unknown, it reports true.
func stillOpen(namespace *os.File, sockets []*Report) []bool {
	open := make([]bool, len(sockets))
	err := netns.Do(namespace, func() error {
		conn, err := sockdiag.Open()
		if err == nil {
			defer conn.Close()
		}
		for i, r := range sockets {
			open[i] = err != nil || r.Source != sourceSockDiag || r.inTable(conn)
		}
		return nil
	})
	if err != nil {
		for i := range open {
			open[i] = true
		}
	}
	return open
}

func (r *Report) inTable(conn *sockdiag.Conn) bool {
	id := sockdiag.ID{
		Family: unix.AF_INET, Local: r.Local, Remote: r.Peer, Device: r.Device,
		Cookie: r.Cookie, Inode: r.Inode, Listening: r.State == Listen,
	}
	if r.Local.Addr().Is6() {
		id.Family = unix.AF_INET6
	}
	_, err := conn.Lookup(&id, 0)
	return !errors.Is(err, sockdiag.ErrNotFound) && !errors.Is(err, sockdiag.ErrUntrue)
}

// shutdowns is indexed by sk_shutdown: RCV_SHUTDOWN is 1, SEND_SHUTDOWN 2.
var shutdowns = [...]string{"<->", "-->", "<--", "---"}

func (l *lister) fromProc() error {
	for _, e := range slices.Concat(l.query.local, l.query.peer) {
		if e.Device != 0 {
			return fmt.Errorf("%v: /proc/net/tcp does not show interfaces: %w", e, errors.ErrUnsupported)
		}
	}
	var files []*os.File
	err := netns.Do(l.query.Namespace, func() (err error) {
		files, err = procnet.Open()
		return err
	})
	if err != nil {
		return err
	}
	return procnet.Walk(files, func(e *procnet.Entry) bool {
		r := &l.report
		*r = Report{}
		r.fillProc(e)
		return !l.query.matches(r) || l.add(r)
	})
}
