package sockdiag

import (
	"cmp"
	"encoding/binary"
	"math"
	"net/netip"

	"golang.org/x/sys/unix"
)

// x/sys has the constants of the netlink socket but not of its messages.
const (
	sizeofHeader  = unix.SizeofNlMsghdr
	sizeofRequest = 56 // struct inet_diag_req_v2
	sizeofSockID  = 48 // struct inet_diag_sockid, the end of it
	sizeofLegacy  = 60 // struct inet_diag_req
	attrBytecode  = 1  // INET_DIAG_REQ_BYTECODE
	attrProtocol  = 3  // INET_DIAG_REQ_PROTOCOL

	getSock = 18 // TCPDIAG_GETSOCK
)

// NoCookie asks for a socket by its addresses alone.
const NoCookie = math.MaxUint64

const (
	stateListen = 10
	noSocket    = 0 // an inode or state that no socket has
)

// An ID is the data by which the kernel looks up one socket (struct
// inet_diag_sockid), and against which its answer is checked.
type ID struct {
	Family        uint8
	Local, Remote netip.AddrPort
	Device        uint32 // the interface to which the socket is bound
	Cookie        uint64
	Inode         uint32 // checked unless 0; not part of the request
	Listening     bool   // the answer may be about a listener
}

// Connected reports whether the ID has the peer's address, without which the
// kernel finds listeners only.
func (id *ID) Connected() bool { return id.Remote.Port() != 0 }

// A Query selects sockets for a dump.
type Query struct {
	Family     uint8  // BothFamilies (of TCP), unix.AF_INET or unix.AF_INET6
	Protocol   uint16 // 0 for TCP, or unix.IPPROTO_MPTCP
	States     uint32 // 1<<state
	Extensions uint8  // ExtInfo
	Filter     Filter // empty for all
}

// BothFamilies in a Query makes the kernel walk through its table once, whereas
// a dump for each family takes two walks. Only the older form of the request
// (TCPDIAG_GETSOCK, which every kernel still has) offers that.
const BothFamilies = unix.AF_UNSPEC

// appendLegacy encodes a dump of both families.
func appendLegacy(b []byte, seq uint32, q *Query) []byte {
	start := len(b)
	b = append(b, make([]byte, sizeofHeader+sizeofLegacy)...)
	h := b[start:]
	binary.NativeEndian.PutUint16(h[4:], getSock)
	binary.NativeEndian.PutUint16(h[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(h[8:], seq)
	r := h[sizeofHeader:]
	r[3] = q.Extensions
	binary.NativeEndian.PutUint32(r[4+sizeofSockID:], q.States)
	return q.appendFilter(b, start)
}

// appendRequest encodes a lookup or a dump of one family; the kernel ignores
// fields that are zero.
func appendRequest(b []byte, seq uint32, flags uint16, q *Query, id *ID) []byte {
	start := len(b)
	b = append(b, make([]byte, sizeofHeader+sizeofRequest)...)
	h := b[start:]
	binary.NativeEndian.PutUint16(h[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(h[6:], unix.NLM_F_REQUEST|flags)
	binary.NativeEndian.PutUint32(h[8:], seq)
	r := h[sizeofHeader:]
	r[0], r[1], r[2] = q.Family, uint8(cmp.Or(q.Protocol, unix.IPPROTO_TCP)), q.Extensions
	binary.NativeEndian.PutUint32(r[4:], q.States)
	if id != nil {
		id.put(r[sizeofRequest-sizeofSockID:])
	}
	if q.Protocol > math.MaxUint8 { // then the attribute is used, not the field
		b = binary.NativeEndian.AppendUint16(b, unix.SizeofNlAttr+4)
		b = binary.NativeEndian.AppendUint16(b, attrProtocol)
		b = binary.NativeEndian.AppendUint32(b, uint32(q.Protocol))
	}
	return q.appendFilter(b, start)
}

// appendFilter completes the message that begins at start.
func (q *Query) appendFilter(b []byte, start int) []byte {
	if n := len(q.Filter); n > 0 {
		b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofNlAttr+n))
		b = binary.NativeEndian.AppendUint16(b, attrBytecode)
		b = append(b, q.Filter...)
	}
	binary.NativeEndian.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

func (id *ID) put(s []byte) {
	binary.BigEndian.PutUint16(s[0:], id.Local.Port())
	binary.BigEndian.PutUint16(s[2:], id.Remote.Port())
	putAddr(s[4:20], id.Family, id.Local.Addr())
	putAddr(s[20:36], id.Family, id.Remote.Addr())
	binary.NativeEndian.PutUint32(s[36:], id.Device)
	binary.NativeEndian.PutUint32(s[40:], uint32(id.Cookie))
	binary.NativeEndian.PutUint32(s[44:], uint32(id.Cookie>>32))
}

func putAddr(b []byte, family uint8, a netip.Addr) {
	if family == unix.AF_INET {
		v4 := a.Unmap().As4()
		copy(b, v4[:])
		return
	}
	v6 := a.As16()
	copy(b, v6[:])
}

// matches reports whether an answer is about the requested socket. For a
// connection that is gone the kernel answers with the listener, and one sandbox
// answered with zeros.
func (id *ID) matches(m Message) bool {
	local, remote := m.Local(), m.Remote()
	switch {
	case m.State() == noSocket,
		m.State() == stateListen && !id.Listening,
		local.Port() != id.Local.Port(), remote.Port() != id.Remote.Port(),
		id.Cookie != NoCookie && m.Cookie() != id.Cookie,
		id.Inode != noSocket && m.Inode() != noSocket && m.Inode() != id.Inode:
		return false
	}
	return id.Cookie != NoCookie ||
		local.Addr().Unmap() == id.Local.Addr().Unmap() && remote.Addr().Unmap() == id.Remote.Addr().Unmap()
}
