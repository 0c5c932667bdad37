// Package segment parses captured TCP segments and classifies them: keepalive
// probe, answer, window probe, retransmission.
package segment

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// A Segment is the header of a TCP segment, with the time and the direction in which it
// passed this machine.
type Segment struct {
	Time     time.Time
	Out      bool // sent by this machine
	Src, Dst netip.AddrPort
	Seq, Ack uint32
	Flags    Flags
	Window   uint16
	Len      int // length of the data
}

// Flags are the flags of the header (RFC 9293).
type Flags uint8

// The flags.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
)

const tcp = 6 // IPPROTO_TCP

// Parse parses the IP and TCP headers of a packet; the rest of the packet may be missing.
// It returns false if there is no complete TCP header, and for later fragments.
func Parse(packet []byte) (s Segment, ok bool) {
	if len(packet) < 1 {
		return s, false
	}
	switch packet[0] >> 4 {
	case 4:
		return parse4(packet)
	case 6:
		return parse6(packet)
	}
	return s, false
}

func parse4(p []byte) (s Segment, ok bool) {
	header := int(p[0]&15) * 4
	if header < 20 || len(p) < header || p[9] != tcp || binary.BigEndian.Uint16(p[6:])&0x1fff != 0 {
		return s, false
	}
	src, dst := netip.AddrFrom4([4]byte(p[12:])), netip.AddrFrom4([4]byte(p[16:]))
	// This is the total length, not that of the frame: short frames are padded.
	// 0 means a packet that the network card is going to split.
	length := int(binary.BigEndian.Uint16(p[2:]))
	return parseTCP(p[header:], src, dst, length-header)
}

func parse6(p []byte) (s Segment, ok bool) {
	if len(p) < 40 {
		return s, false
	}
	src, dst := netip.AddrFrom16([16]byte(p[8:])), netip.AddrFrom16([16]byte(p[24:]))
	left := int(binary.BigEndian.Uint16(p[4:]))
	next, rest := p[6], p[40:]
	for next != tcp {
		const hopByHop, routing, destination = 0, 43, 60
		if next != hopByHop && next != routing && next != destination || len(rest) < 8 {
			return s, false
		}
		length := int(rest[1])*8 + 8
		if len(rest) < length {
			return s, false
		}
		next, rest, left = rest[0], rest[length:], left-length
	}
	return parseTCP(rest, src, dst, left)
}

// parseTCP parses the header; length is that of header and data.
func parseTCP(p []byte, src, dst netip.Addr, length int) (s Segment, ok bool) {
	if len(p) < 20 {
		return s, false
	}
	header := int(p[12]>>4) * 4
	if header < 20 {
		return s, false
	}
	return Segment{
		Src: netip.AddrPortFrom(src, binary.BigEndian.Uint16(p)),
		Dst: netip.AddrPortFrom(dst, binary.BigEndian.Uint16(p[2:])),
		Seq: binary.BigEndian.Uint32(p[4:]), Ack: binary.BigEndian.Uint32(p[8:]),
		Flags: Flags(p[13]), Window: binary.BigEndian.Uint16(p[14:]),
		Len: max(length-header, 0),
	}, true
}
