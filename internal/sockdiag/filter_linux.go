package sockdiag

import (
	"encoding/binary"
	"math"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A Filter is a program that the kernel runs on each socket of a dump
// (INET_DIAG_REQ_BYTECODE, inet_diag_bc_run in net/ipv4/inet_diag.c). The empty
// filter lets every socket pass.
//
// An operation is {u8 code; u8 yes; u16 no}, where yes and no are the offsets,
// from the beginning of the operation, at which to continue if it is true or
// false. A program that reaches its end lets the socket pass; a jump to the end
// plus 4 rejects it.
type Filter []byte

// MaxFilter is the longest Filter that [Conn.Dump] accepts: the length of an
// attribute and the distance of a jump have 16 bits. Or and And may return a
// longer filter, which is invalid.
const MaxFilter = math.MaxUint16 - max(unix.SizeofNlAttr, reject)

// Operations.
const (
	opJump      = 1
	opLocalGE   = 2 // a port, in the field "no" of a second operation
	opLocalLE   = 3
	opRemoteGE  = 4
	opRemoteLE  = 5
	opLocalAddr = 7 // struct inet_diag_hostcond follows
	opPeerAddr  = 8
)

const (
	sizeofOp = 4
	reject   = sizeofOp // the distance of a rejecting jump beyond the end
	anyPort  = -1       // of struct inet_diag_hostcond
)

// A Side is the end of a connection to which a condition applies.
type Side uint8

const (
	Local Side = iota
	Remote
)

// Ports lets sockets pass whose port lies between low and high.
func Ports(side Side, low, high uint16) Filter {
	ge, le := uint8(opLocalGE), uint8(opLocalLE)
	if side == Remote {
		ge, le = opRemoteGE, opRemoteLE
	}
	return And(port(ge, low), port(le, high))
}

func port(code uint8, p uint16) Filter {
	f := appendOp(nil, code, 2*sizeofOp, 2*sizeofOp+reject)
	return appendOp(f, 0, 0, p)
}

// Prefix lets sockets pass whose address lies within p. The kernel lets a
// condition for IPv4 match IPv4-mapped addresses as well.
func Prefix(side Side, p netip.Prefix) Filter {
	code := uint8(opLocalAddr)
	if side == Remote {
		code = opPeerAddr
	}
	family, addr := uint8(unix.AF_INET6), p.Addr().AsSlice()
	if p.Addr().Is4() {
		family = unix.AF_INET
	}
	size := sizeofOp + 8 + len(addr)
	f := appendOp(nil, code, uint8(size), uint16(size+reject))
	f = append(f, family, uint8(p.Bits()), 0, 0)
	port := int32(anyPort)
	f = binary.NativeEndian.AppendUint32(f, uint32(port))
	return append(f, addr...)
}

// And lets a socket pass if both filters do.
func And(a, b Filter) Filter {
	if len(a) == 0 {
		return b
	}
	return append(moveReject(a, len(b)), b...)
}

// Or lets a socket pass if either filter does.
func Or(a, b Filter) Filter {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	// A reject of a continues after the jump, where b begins.
	f := appendOp(append(Filter(nil), a...), opJump, sizeofOp, uint16(sizeofOp+len(b)))
	return append(f, b...)
}

func appendOp(f Filter, code, yes uint8, no uint16) Filter {
	return binary.NativeEndian.AppendUint16(append(f, code, yes), no)
}

// moveReject returns f with the distance of rejecting jumps increased by n.
func moveReject(f Filter, n int) Filter {
	moved := append(Filter(nil), f...)
	for at := 0; at < len(moved); at += int(moved[at+1]) {
		no := binary.NativeEndian.Uint16(moved[at+2:])
		if at+int(no) == len(moved)+reject {
			binary.NativeEndian.PutUint16(moved[at+2:], no+uint16(n))
		}
	}
	return moved
}
