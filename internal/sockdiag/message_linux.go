package sockdiag

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// linux/inet_diag.h and linux/sock_diag.h; x/sys has the numbers of the socket
// but not the messages.
const (
	sizeofHeader  = unix.SizeofNlMsghdr
	sizeofRequest = 56 // struct inet_diag_req_v2
	sizeofMessage = 72 // struct inet_diag_msg
	offsetID      = 8  // of struct inet_diag_sockid in the request
)

// An id is what the kernel looks a socket up by (struct inet_diag_sockid).
type id struct {
	family        uint8
	local, remote netip.AddrPort
	device        uint32
	cookie        uint64
}

const noCookie = math.MaxUint64

const tcpListen = 10

// request encodes the lookup of one socket in any state.
func (i *id) request() [sizeofHeader + sizeofRequest]byte {
	var b [sizeofHeader + sizeofRequest]byte
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	r := b[sizeofHeader:]
	r[0], r[1] = i.family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(r[4:], math.MaxUint32)
	s := r[offsetID:]
	binary.BigEndian.PutUint16(s[0:], i.local.Port())
	binary.BigEndian.PutUint16(s[2:], i.remote.Port())
	putAddr(s[4:20], i.family, i.local.Addr())
	putAddr(s[20:36], i.family, i.remote.Addr())
	binary.NativeEndian.PutUint32(s[36:], i.device)
	binary.NativeEndian.PutUint32(s[40:], uint32(i.cookie))
	binary.NativeEndian.PutUint32(s[44:], uint32(i.cookie>>32))
	return b
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

// ErrNotFound means that the kernel knows no such socket in this network
// namespace, or lacks the tcp_diag module: the errno is the same.
var ErrNotFound = errors.New("sock_diag: no such socket in this network namespace, or no tcp_diag module")

// answer decodes the reply to request and refuses one that is not about the
// socket asked for: the kernel answers with the listener for a connection that
// is gone, and a sandbox was seen to answer with zeros.
func (i *id) answer(b []byte) (Socket, error) {
	if len(b) < sizeofHeader {
		return Socket{}, fmt.Errorf("sock_diag: reply of %d bytes", len(b))
	}
	length := binary.NativeEndian.Uint32(b)
	if length < sizeofHeader || int(length) > len(b) {
		return Socket{}, fmt.Errorf("sock_diag: reply claims %d of %d bytes", length, len(b))
	}
	body := b[sizeofHeader:length]
	switch kind := binary.NativeEndian.Uint16(b[4:]); kind {
	case unix.NLMSG_ERROR:
		if len(body) < 4 {
			return Socket{}, errors.New("sock_diag: error reply without an errno")
		}
		errno := unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
		if errno == unix.ENOENT {
			return Socket{}, ErrNotFound
		}
		return Socket{}, fmt.Errorf("sock_diag: %w", errno)
	case unix.SOCK_DIAG_BY_FAMILY:
	default:
		return Socket{}, fmt.Errorf("sock_diag: reply of type %d", kind)
	}
	if len(body) < sizeofMessage {
		return Socket{}, fmt.Errorf("sock_diag: message of %d bytes, want %d", len(body), sizeofMessage)
	}
	s := decode(body)
	if s.Local.Port() != i.local.Port() || s.Remote.Port() != i.remote.Port() ||
		s.State == 0 || s.State == tcpListen && i.remote.Port() != 0 ||
		i.cookie != noCookie && s.Cookie != i.cookie {
		return Socket{}, fmt.Errorf("sock_diag: asked for %v -> %v, got an answer about another socket (%v -> %v, state %d)",
			i.local, i.remote, s.Local, s.Remote, s.State)
	}
	return s, nil
}

func decode(m []byte) Socket {
	family := m[0]
	left := binary.NativeEndian.Uint32(m[52:])
	if left > math.MaxInt32 {
		left = 0 // overdue: before 5.1 the difference was unsigned
	}
	return Socket{
		State:      m[1],
		Timer:      TimerKind(m[2]),
		Unanswered: int(m[3]),
		Local:      addrPort(family, m[8:24], m[4:6]),
		Remote:     addrPort(family, m[24:40], m[6:8]),
		Cookie:     uint64(binary.NativeEndian.Uint32(m[44:])) | uint64(binary.NativeEndian.Uint32(m[48:]))<<32,
		Left:       time.Duration(left) * time.Millisecond,
		UID:        binary.NativeEndian.Uint32(m[64:]),
		Inode:      binary.NativeEndian.Uint32(m[68:]),
	}
}

func addrPort(family uint8, addr, port []byte) netip.AddrPort {
	p := binary.BigEndian.Uint16(port)
	if family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(addr)), p)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(addr)).Unmap(), p)
}
