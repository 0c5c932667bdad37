package inspect

import (
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
	"github.com/tcpkeepalive/keepalive/internal/tcpinfo"
)

// A multipath is what a visit reads of TCP_INFO and of what the kernel shows of a
// Multipath TCP connection.
type multipath struct {
	info  tcpinfo.Info
	whole tcpinfo.Multipath
}

// askMultipath corrects what TCP_INFO reported: a subflow keeps its state when
// the connection is closed (DATA_FIN, RFC 8684 section 3.3.3), and the
// connection may survive its first subflow. Neither data nor a pending error is
// taken from the socket.
func (v *visit) askMultipath(fd uintptr) {
	h := &v.health
	token, ok := v.whole.Token(fd)
	if !ok {
		h.State = polled(fd, h.State)
		return
	}
	state, err := v.handle.target.multipathState(token)
	if err != nil {
		state = polled(fd, Established)
	}
	v.bestSubflow(fd)
	h.State = state
}

// bestSubflow takes the counters of the subflow with the fewest unanswered
// probes and retransmissions.
func (v *visit) bestSubflow(fd uintptr) {
	subflows, size, ok := v.whole.Subflows(fd)
	if !ok {
		return
	}
	var best health
	found, unacked := false, 0
	for _, fields := range subflows {
		info := tcpinfo.Info{Fields: fields, Size: size}
		if State(info.State) == Closed {
			continue
		}
		h := healthOf(&info)
		unacked += h.Unacked
		if !found || h.doubt() < best.doubt() {
			best = h
		}
		if !found {
			v.info = info // the first open subflow has the timer
		}
		found = true
	}
	if found {
		best.Unacked = unacked
		v.health = best
	} else {
		v.health.PathLost = true
	}
}

func (h *health) doubt() int { return h.Probes + h.Retransmits }

// multipathState returns the state of the connection as a whole.
func (t *target) multipathState(token uint32) (State, error) {
	conn, err := sockdiag.Borrow(t.namespace)
	if err != nil {
		return StateUnknown, err
	}
	defer conn.Return()
	m, err := conn.LookupMultipath(&t.id, token)
	if err != nil {
		return StateUnknown, err
	}
	return State(m.State()), nil
}

// polled corrects the state of a subflow with what poll reports: that the peer
// has closed its side, or that the connection is closed. poll does not show what
// was closed on this side.
func polled(fd uintptr, subflow State) State {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}}
	if n, err := unix.Poll(p[:], 0); n < 1 || err != nil {
		return subflow
	}
	switch {
	case p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0:
		return Closed
	case p[0].Revents&unix.POLLRDHUP != 0 && subflow == Established:
		return CloseWait
	}
	return subflow
}
