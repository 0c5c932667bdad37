package inspect

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tcpInfo is the part of struct tcp_info that the kernel returned.
type tcpInfo struct {
	tcpInfoFields
	size uint32 // fields beyond it are unknown and 0
}

// tcpInfoFields is the beginning of struct tcp_info (linux/tcp.h), as far as it
// is needed. The kernel fills in as much as fits.
type tcpInfoFields struct {
	state, caState, retransmits, probes, backoff, options, wscale, flags uint8

	rto, ato, sndMSS, rcvMSS                                                   uint32 // times in µs
	unacked, sacked, lost, retrans, fackets                                    uint32
	lastDataSent, lastAckSent, lastDataReceived, lastAckRecv                   uint32 // ms ago
	pmtu, rcvThreshold, rtt, rttVar, sndThreshold, sndCwnd, advMSS, reordering uint32
	rcvRTT, rcvSpace, totalRetrans                                             uint32
	pacingRate, maxPacingRate, bytesAcked, bytesReceived                       uint64
	segsOut, segsIn, notSent, minRTT, dataSegsIn, dataSegsOut                  uint32
	deliveryRate, busy, windowLimited, bufferLimited                           uint64
	delivered, deliveredCE                                                     uint32
	bytesSent, bytesRetrans                                                    uint64
	dsackDups, reordSeen, outOfOrder                                           uint32
	window                                                                     uint32 // last announced by the peer; since 5.4
}

func (i *tcpInfo) activity() Activity {
	ms := func(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }
	h := i.health()
	return Activity{
		Known:            true,
		LastDataSent:     ms(i.lastDataSent),
		LastDataReceived: ms(i.lastDataReceived),
		LastAckReceived:  ms(i.lastAckRecv),
		Unacked:          int(i.unacked),
		Retransmits:      int(i.retransmits),
		Probes:           h.Probes,
		Backoff:          int(i.backoff),
		WindowClosed:     h.WindowClosed,
	}
}

func (i *tcpInfo) read(fd uintptr) error {
	*i = tcpInfo{size: valueSize}
	if err := getsockopt(fd, unix.IPPROTO_TCP, unix.TCP_INFO, unsafe.Pointer(&i.tcpInfoFields), &i.size); err != nil {
		return err
	}
	return i.check()
}

// decode reads the attribute INET_DIAG_INFO, which holds the same structure.
func (i *tcpInfo) decode(b []byte) bool {
	*i = tcpInfo{}
	i.size = uint32(copy(unsafe.Slice((*byte)(unsafe.Pointer(&i.tcpInfoFields)), valueSize), b))
	return i.check() == nil
}

const (
	valueSize = uint32(unsafe.Sizeof(tcpInfoFields{}))
	// minSize is the size up to which every field is needed. Older kernels have
	// a shorter structure, but none is shorter than this.
	minSize = uint32(unsafe.Offsetof(tcpInfoFields{}.pmtu))
)

func (i *tcpInfo) check() error {
	if i.size < minSize {
		return unix.EMSGSIZE
	}
	return nil
}
