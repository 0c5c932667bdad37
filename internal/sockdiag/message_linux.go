package sockdiag

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// SizeofMessage is the size of struct inet_diag_msg; attributes follow.
const SizeofMessage = 72

// Attributes of a message (enum in linux/inet_diag.h).
const (
	AttrInfo     = 2
	AttrShutdown = 8
	AttrV6Only   = 11
	AttrMark     = 15
	AttrULP      = 19
	AttrCgroupID = 21
)

// ExtInfo asks for AttrInfo and AttrULP; the kernel sends the other attributes without a
// request.
const ExtInfo = 1 << (AttrInfo - 1)

// A Message is the kernel's description of one socket: struct inet_diag_msg and
// its attributes. It is stored in the buffer of a [Conn] and is valid until the
// next call on that Conn.
type Message []byte

// Family returns unix.AF_INET or unix.AF_INET6.
func (m Message) Family() uint8 { return m[0] }

// State returns a number of include/net/tcp_states.h.
func (m Message) State() uint8 { return m[1] }

// Timer returns which timer is armed: idiag_timer of net/ipv4/inet_diag.c.
func (m Message) Timer() uint8 { return m[2] }

// Retrans returns the number of retransmissions or of unanswered probes,
// depending on Timer.
func (m Message) Retrans() uint8 { return m[3] }

// Local returns the socket's own address. An IPv4-mapped address stays mapped.
func (m Message) Local() netip.AddrPort { return addrPort(m[0], m[8:24], m[4:6]) }

// Remote returns the peer's address.
func (m Message) Remote() netip.AddrPort { return addrPort(m[0], m[24:40], m[6:8]) }

// Device returns the index of the interface to which the socket is bound.
func (m Message) Device() uint32 { return binary.NativeEndian.Uint32(m[40:]) }

// Cookie returns the value of SO_COOKIE of the socket.
func (m Message) Cookie() uint64 {
	return uint64(binary.NativeEndian.Uint32(m[44:])) | uint64(binary.NativeEndian.Uint32(m[48:]))<<32
}

// Expires returns the time until the timer fires.
func (m Message) Expires() time.Duration {
	left := binary.NativeEndian.Uint32(m[52:])
	if left > math.MaxInt32 {
		return 0 // overdue: before 5.1 the difference was unsigned
	}
	return time.Duration(left) * time.Millisecond
}

// RecvQueue returns the number of bytes not yet read, for a listener that of
// connections not yet accepted.
func (m Message) RecvQueue() uint32 { return binary.NativeEndian.Uint32(m[56:]) }

// SendQueue returns the number of bytes not yet acknowledged, for a listener the
// backlog.
func (m Message) SendQueue() uint32 { return binary.NativeEndian.Uint32(m[60:]) }

// UID returns the owner of the socket.
func (m Message) UID() uint32 { return binary.NativeEndian.Uint32(m[64:]) }

// Inode returns the number that /proc/PID/fd shows, or 0 for a socket that no
// process has open.
func (m Message) Inode() uint32 { return binary.NativeEndian.Uint32(m[68:]) }

// IsSubflow reports whether an AttrULP, which is a nested attribute, is that of
// a Multipath TCP subflow: its INET_ULP_INFO_NAME is "mptcp".
func IsSubflow(ulp []byte) bool {
	const name = "mptcp\x00"
	return len(ulp) >= unix.SizeofNlAttr+len(name) && string(ulp[unix.SizeofNlAttr:][:len(name)]) == name
}

// Attributes calls f for each attribute, and stops at one that does not fit.
func (m Message) Attributes(f func(kind uint16, value []byte)) {
	for b := m[SizeofMessage:]; len(b) >= unix.SizeofNlAttr; {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofNlAttr || size > len(b) {
			return
		}
		f(binary.NativeEndian.Uint16(b[2:]), b[unix.SizeofNlAttr:size])
		b = b[min(align(size), len(b)):]
	}
}

// align rounds up to the alignment of netlink messages and attributes.
func align(n int) int { return (n + 3) &^ 3 }

func addrPort(family uint8, addr, port []byte) netip.AddrPort {
	p := binary.BigEndian.Uint16(port)
	if family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(addr)), p)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(addr)), p)
}
