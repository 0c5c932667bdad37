package tcpinfo

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An Info is the part of struct tcp_info that the kernel returned.
type Info struct {
	Fields
	Size uint32 // fields beyond it are unknown and 0
}

// Fields is the beginning of struct tcp_info (linux/tcp.h), as far as it is needed. The
// kernel fills in as much as fits.
type Fields struct {
	State, caState, Retransmits, Probes, Backoff, options, wscale, flags uint8

	RTO, ato, sndMSS, rcvMSS                                                   uint32 // times in µs
	Unacked, sacked, lost, retrans, fackets                                    uint32
	LastDataSent, lastAckSent, LastDataReceived, LastAckReceived               uint32 // ms ago
	pmtu, rcvThreshold, rtt, rttVar, sndThreshold, sndCwnd, advMSS, reordering uint32
	rcvRTT, rcvSpace, totalRetrans                                             uint32
	pacingRate, maxPacingRate, bytesAcked, bytesReceived                       uint64
	segsOut, SegmentsReceived, NotSent, minRTT, DataSegmentsReceived           uint32 // segments since 4.2, the others since 4.6
	dataSegsOut                                                                uint32
	deliveryRate, busy, windowLimited, bufferLimited                           uint64
	delivered, deliveredCE                                                     uint32
	bytesSent, bytesRetrans                                                    uint64
	dsackDups, reordSeen, outOfOrder                                           uint32
	Window                                                                     uint32 // last announced by the peer; since 5.4
}

const (
	// WholeSize is the size of all Fields.
	WholeSize = uint32(unsafe.Sizeof(Fields{}))
	// MinSize is the size up to which every kernel fills the Fields in. Older kernels have
	// a shorter structure, but none is shorter than this.
	MinSize = uint32(unsafe.Offsetof(Fields{}.pmtu))
)

// Read reads TCP_INFO of the socket fd. A socket that is not TCP has none.
func (i *Info) Read(fd uintptr) error {
	*i = Info{Size: WholeSize}
	err := getsockopt(fd, unix.IPPROTO_TCP, unix.TCP_INFO, unsafe.Pointer(&i.Fields), &i.Size)
	if err == nil {
		err = i.check()
	}
	if err != nil {
		return fmt.Errorf("getsockopt TCP_INFO: %w", err)
	}
	return nil
}

// Decode reads the attribute INET_DIAG_INFO, which holds the same structure. It reports
// whether the attribute is long enough.
func (i *Info) Decode(b []byte) bool {
	*i = Info{}
	i.Size = uint32(copy(unsafe.Slice((*byte)(unsafe.Pointer(&i.Fields)), WholeSize), b))
	return i.check() == nil
}

func (i *Info) check() error {
	if i.Size < MinSize {
		return unix.EMSGSIZE
	}
	return nil
}

func getsockopt(fd uintptr, level, name int, value unsafe.Pointer, size *uint32) error {
	if errno := rawGetsockopt(fd, uintptr(level), uintptr(name), value, unsafe.Pointer(size)); errno != 0 {
		return errno
	}
	return nil
}
