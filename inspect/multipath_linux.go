package inspect

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
)

// Numbers and structures of linux/mptcp.h, since Linux 5.16.
const (
	solMPTCP     = 284
	mptcpInfo    = 1 // MPTCP_INFO
	mptcpTCPInfo = 2 // MPTCP_TCPINFO

	maxSubflows = 16 // read at most
)

// mptcpInfoFields is the beginning of struct mptcp_info.
type mptcpInfoFields struct {
	counts [8]uint8
	flags  uint32
	token  uint32
}

// subflowInfos is struct mptcp_subflow_data followed by the array of infos.
type subflowInfos struct {
	sizeHere, subflows, sizeKernel, sizeUser uint32
	infos                                    [maxSubflows]tcpInfoFields
}

// A multipath is what a visit reads from a Multipath TCP socket, because
// TCP_INFO describes only its first subflow.
type multipath struct {
	info     tcpInfo
	subflows subflowInfos
	whole    mptcpInfoFields
}

// askMultipath corrects what TCP_INFO reported: a subflow keeps its state when
// the connection is closed (DATA_FIN, RFC 8684 section 3.3.3), and the
// connection may survive its first subflow. Neither data nor a pending error is
// taken from the socket.
func (v *visit) askMultipath(fd uintptr) {
	h := &v.health
	size := uint32(unsafe.Sizeof(v.whole))
	if getsockopt(fd, solMPTCP, mptcpInfo, unsafe.Pointer(&v.whole), &size) != nil {
		// It fell back to TCP, it is gone, or the kernel is older than Linux 5.16.
		h.State = polled(fd, h.State)
		return
	}
	state, err := v.handle.target.multipathState(v.whole.token)
	if err != nil {
		state = polled(fd, Established)
	}
	v.bestSubflow(fd)
	h.State = state
}

// bestSubflow takes the counters of the subflow with the fewest unanswered
// probes and retransmissions.
func (v *visit) bestSubflow(fd uintptr) {
	s := &v.subflows
	*s = subflowInfos{sizeHere: uint32(unsafe.Offsetof(s.infos)), sizeUser: valueSize}
	size := uint32(unsafe.Sizeof(*s))
	if getsockopt(fd, solMPTCP, mptcpTCPInfo, unsafe.Pointer(s), &size) != nil {
		return
	}
	info := tcpInfo{size: min(s.sizeKernel, valueSize)}
	var best health
	found, unacked := false, 0
	for i := range s.infos[:min(s.subflows, maxSubflows)] {
		info.tcpInfoFields = s.infos[i]
		if State(info.state) == Closed {
			continue
		}
		h := info.health()
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

func getsockopt(fd uintptr, level, name int, value unsafe.Pointer, size *uint32) error {
	if errno := rawGetsockopt(fd, uintptr(level), uintptr(name), value, unsafe.Pointer(size)); errno != 0 {
		return errno
	}
	return nil
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
