package capture

import (
	"encoding/binary"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Snap is how much of a packet is kept: headers, with room for options.
const Snap = 160

// A Capture sees the packets of all interfaces of a network namespace. It needs
// CAP_NET_RAW.
type Capture struct {
	fd       int
	loopback int // index of the loopback interface, 0 for none
	buffer   [Snap]byte
	control  [128]byte
}

// A Packet is a captured packet, from its IP header on. It is valid until the next call of
// Next.
type Packet struct {
	Time      time.Time
	Out       bool // sent by this machine
	Interface int  // index
	Data      []byte
	Length    int // of the whole packet
}

// Open begins a capture of TCP on these ports, all where there are none. Where it is
// not permitted the error wraps fs.ErrPermission.
func Open(ports ...uint16) (*Capture, error) {
	// With protocol 0 nothing comes before bind: no packets from before the filter.
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
	const room = 16 << 20 // for a burst; as much of it as is allowed
	if unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) != nil {
		unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room)
	}
	// So that Next can be ended.
	timeout := unix.NsecToTimeval(int64(100 * time.Millisecond))
	if err := unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return os.NewSyscallError("setsockopt(SO_RCVTIMEO)", err)
	}
	// ETH_P_IP would not show what this machine sends.
	all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
	return os.NewSyscallError("bind", unix.Bind(c.fd, &unix.SockaddrLinklayer{Protocol: all}))
}

// Close ends the capture.
func (c *Capture) Close() error { return unix.Close(c.fd) }

// Next waits for a packet for about 100 ms; false is that none came.
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
		return p, false, nil // it comes in as well
	}
	p.Time = stamp(c.control[:controls], p.Time)
	return p, true, nil
}

// stamp is when the kernel saw the packet.
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

// Dropped is how many packets the kernel had no room for, since it was asked last.
func (c *Capture) Dropped() (uint32, error) {
	stats, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt(PACKET_STATISTICS)", err)
	}
	return stats.Drops, nil
}

// filter is the program that the kernel runs on each packet: TCP with one of the
// ports at either end, and of that the headers.
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
	// Ports are looked at with an offset in X: 0 and 2 for TCP's header.
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
	// Extension headers before TCP are rare; such packets are kept, whatever port.
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
