package tcpinfo

import "unsafe"

// Numbers and structures of linux/mptcp.h, since Linux 5.16.
const (
	solMPTCP     = 284
	mptcpInfo    = 1 // MPTCP_INFO
	mptcpTCPInfo = 2 // MPTCP_TCPINFO

	maxSubflows = 16 // read at most
)

// A Multipath has room for what the kernel shows of a Multipath TCP connection, of which
// TCP_INFO describes only the first subflow.
type Multipath struct {
	whole struct { // the beginning of struct mptcp_info
		counts [8]uint8
		flags  uint32
		token  uint32
	}
	subflows struct { // struct mptcp_subflow_data, followed by the array of infos
		sizeHere, subflows, sizeKernel, sizeUser uint32
		infos                                    [maxSubflows]Fields
	}
}

// Token returns the number by which the kernel finds the connection. It has none if it
// fell back to TCP or is gone, or if the kernel is older than Linux 5.16.
func (m *Multipath) Token(fd uintptr) (token uint32, ok bool) {
	size := uint32(unsafe.Sizeof(m.whole))
	err := getsockopt(fd, solMPTCP, mptcpInfo, unsafe.Pointer(&m.whole), &size)
	return m.whole.token, err == nil
}

// Subflows returns the fields of each subflow, at most 16, and up to which size the kernel
// has filled them in. It reports false if the kernel does not show them. They are valid
// until the next call.
func (m *Multipath) Subflows(fd uintptr) (infos []Fields, size uint32, ok bool) {
	s := &m.subflows
	s.sizeHere, s.subflows, s.sizeKernel, s.sizeUser = uint32(unsafe.Offsetof(s.infos)), 0, 0, WholeSize
	room := uint32(unsafe.Sizeof(*s))
	if getsockopt(fd, solMPTCP, mptcpTCPInfo, unsafe.Pointer(s), &room) != nil {
		return nil, 0, false
	}
	return s.infos[:min(s.subflows, maxSubflows)], min(s.sizeKernel, WholeSize), true
}
