package inspect

import (
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
)

// wholeStates has the states of Multipath TCP connections as a whole; the list
// itself has only their subflows. It is filled when the first subflow appears,
// so that a machine without Multipath TCP pays nothing.
type wholeStates struct {
	asked  bool
	states map[wholeKey]State
	err    error // why some states are unknown
}

// A wholeKey is what a subflow and its connection have in common: the inode or,
// once no process has the socket open any more, the addresses of the first
// subflow.
type wholeKey struct {
	inode       uint32
	local, peer netip.AddrPort
}

func wholeKeyOf(inode uint32, local, peer netip.AddrPort) wholeKey {
	if inode != 0 {
		return wholeKey{inode: inode}
	}
	return wholeKey{local: local, peer: peer}
}

// of returns the state of the connection to which the subflow r belongs. If the
// kernel does not report that connection (no mptcp_diag, or it is new), it
// returns the state of the subflow.
func (w *wholeStates) of(r *Report, namespace *os.File) State {
	w.ask(namespace)
	if state, ok := w.states[wholeKeyOf(r.Inode, r.Local, r.Peer)]; ok {
		return state
	}
	return r.State
}

func (w *wholeStates) ask(namespace *os.File) {
	if !w.asked {
		w.asked = true
		w.err = w.dump(namespace)
	}
}

func (w *wholeStates) dump(namespace *os.File) error {
	var conn *sockdiag.Conn
	err := netns.Do(namespace, func() (err error) {
		conn, err = sockdiag.Open()
		return err
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	w.states = map[wholeKey]State{}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		q := sockdiag.Query{Family: family, Protocol: unix.IPPROTO_MPTCP, States: uint32(allStates)}
		err := conn.Dump(&q, func(m sockdiag.Message) bool {
			w.states[wholeKeyOf(m.Inode(), m.Local(), m.Remote())] = stateOf(m.State())
			return true
		})
		if err != nil && !errors.Is(err, sockdiag.ErrNotFound) { // ErrNotFound: a kernel without mptcp_diag
			return err
		}
	}
	return nil
}

// closing are the states that a Multipath TCP connection may be in while its
// subflows are established.
const closing = 1<<FinWait1 | 1<<FinWait2 | 1<<CloseWait | 1<<LastAck | 1<<Closing

// mask returns the states by which the kernel selects sockets. The kernel
// compares the states of subflows.
func (l *lister) mask() uint32 {
	mask := uint32(l.query.states)
	if !l.query.Activity || mask&(1<<Established) != 0 || mask&closing == 0 {
		return mask
	}
	l.whole.ask(l.query.Namespace)
	for _, state := range l.whole.states {
		if mask&(1<<state) != 0 {
			l.compare = true
			return mask | 1<<Established
		}
	}
	return mask
}
