package capture

import (
	"encoding/binary"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Snap is the number of bytes kept of a packet: the headers, with room for
// options.
const Snap = 160

// A Capture receives the packets of all interfaces of a network namespace. It
// needs CAP_NET_RAW.
type Capture struct {
	fd       int
	loopback int // index of the loopback interface, 0 for none
	buffer   [Snap]byte
	control  [128]byte
}

// A Packet is a captured packet, starting with its IP header. It is valid until the next
// call of Next.
type Packet struct {
	Time      time.Time
	Out       bool // sent by this machine
	Interface int  // index
	Data      []byte
	Length    int // of the whole packet
}

// Open starts a capture of TCP on these ports, or on all ports if there are none. If that
// is not permitted, the error wraps fs.ErrPermission.
func Open(ports ...uint16) (*Capture, error) {
	// With protocol 0 nothing is received before bind: no packet precedes the filter.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket(AF_PACKET)", err)
	}
	c := &Capture{fd: fd}
	if err := c.prepare(ports); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return c, nil
}

func (c *Capture) prepare(ports []uint16) error {
	if lo, err := net.InterfaceByName("lo"); err == nil {
		c.loopback = lo.Index
	}
	program := filter(ports)
	err := unix.SetsockoptSockFprog(c.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{
		Len: uint16(len(program)), Filter: &program[0],
	})
	if err != nil {
		return os.NewSyscallError("setsockopt(SO_ATTACH_FILTER)", err)
	}
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return os.NewSyscallError("setsockopt(SO_TIMESTAMPNS)", err)
	}
	const room = 16 << 20 // for a burst; the kernel may grant less
	if unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) != nil {
		unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room)
	}
	// The timeout lets Next return.
	timeout := unix.NsecToTimeval(int64(100 * time.Millisecond))
	if err := unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return os.NewSyscallError("setsockopt(SO_RCVTIMEO)", err)
	}
	// ETH_P_IP would not show the packets that this machine sends.
	all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
	return os.NewSyscallError("bind", unix.Bind(c.fd, &unix.SockaddrLinklayer{Protocol: all}))
}

// Close ends the capture.
func (c *Capture) Close() error { return unix.Close(c.fd) }

// Next waits about 100 ms for a packet; it returns false if none arrived.
func (c *Capture) Next() (p Packet, ok bool, err error) {
	n, controls, _, from, err := unix.Recvmsg(c.fd, c.buffer[:], c.control[:], unix.MSG_TRUNC)
	switch err {
	case nil:
	case unix.EAGAIN, unix.EINTR, unix.ENETDOWN: // an interface went away
		return p, false, nil
	default:
		return p, false, os.NewSyscallError("recvmsg", err)
	}
	link, ok := from.(*unix.SockaddrLinklayer)
	if !ok {
		return p, false, nil
	}
	p = Packet{Time: time.Now(), Out: link.Pkttype == unix.PACKET_OUTGOING, Interface: link.Ifindex, Data: c.buffer[:min(n, Snap)], Length: n}
	if p.Interface == c.loopback && p.Out {
		return p, false, nil // the packet is also received
	}
	p.Time = stamp(c.control[:controls], p.Time)
	return p, true, nil
}

// stamp returns the kernel's timestamp of the packet.
func stamp(controls []byte, otherwise time.Time) time.Time {
	messages, err := unix.ParseSocketControlMessage(controls)
	if err != nil {
		return otherwise
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
			t := *(*unix.Timespec)(unsafe.Pointer(&m.Data[0]))
			return time.Unix(t.Unix())
		}
	}
	return otherwise
}

// Dropped returns how many packets the kernel has dropped for lack of room since
// the last call.
func (c *Capture) Dropped() (uint32, error) {
	stats, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt(PACKET_STATISTICS)", err)
	}
	return stats.Drops, nil
}

// filter returns the program that the kernel runs on each packet. It accepts the
// headers of TCP packets with one of the ports at either end.
func filter(ports []uint16) []unix.SockFilter {
	const (
		loadByte     = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		loadHalf     = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
		loadHalfX    = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
		headerX      = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH
		rightShift   = unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K
		jumpIfEqual  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		jump         = unix.BPF_JMP | unix.BPF_JA
		give         = unix.BPF_RET | unix.BPF_K
		version4     = 4
		version6     = 6
		tcp          = unix.IPPROTO_TCP
		nothing      = 0
		fixed6Header = 40
	)
	// The ports are loaded relative to X, at offsets 0 and 2 of the TCP header.
	match := func(load uint16, offset uint32) []unix.SockFilter {
		if len(ports) == 0 {
			return []unix.SockFilter{{Code: give, K: Snap}}
		}
		var p []unix.SockFilter
		for _, side := range []uint32{0, 2} {
			p = append(p, unix.SockFilter{Code: load, K: offset + side})
			for _, port := range ports {
				p = append(p,
					unix.SockFilter{Code: jumpIfEqual, Jf: 1, K: uint32(port)},
					unix.SockFilter{Code: give, K: Snap})
			}
		}
		return append(p, unix.SockFilter{Code: give, K: nothing})
	}
	four := append([]unix.SockFilter{
		{Code: loadByte, K: 9},
		{Code: jumpIfEqual, Jt: 1, K: tcp},
		{Code: give, K: nothing},
		{Code: headerX, K: 0},
	}, match(loadHalfX, 0)...)
	// Extension headers before TCP are rare; such packets are kept, whatever
	// their ports.
	six := append([]unix.SockFilter{
		{Code: loadByte, K: 6},
		{Code: jumpIfEqual, Jt: 4, K: tcp},
		{Code: jumpIfEqual, Jt: 2, K: unix.IPPROTO_HOPOPTS},
		{Code: jumpIfEqual, Jt: 1, K: unix.IPPROTO_DSTOPTS},
		{Code: give, K: nothing},
		{Code: give, K: Snap},
	}, match(loadHalf, fixed6Header)...)
	program := []unix.SockFilter{
		{Code: loadByte, K: 0},
		{Code: rightShift, K: 4},
		{Code: jumpIfEqual, Jt: 3, K: version4},
		{Code: jumpIfEqual, Jt: 1, K: version6},
		{Code: give, K: nothing},
		{Code: jump, K: uint32(len(four))},
	}
	return append(append(program, four...), six...)
}
