package inspect

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tcpInfo is the beginning of struct tcp_info (linux/tcp.h), as far as it is
// needed. The kernel fills in as much as there is room for.
type tcpInfo struct {
	state, caState, retransmits, probes, backoff, options, wscale, flags uint8

	rto, ato, sndMSS, rcvMSS                                 uint32
	unacked, sacked, lost, retrans, fackets                  uint32
	lastDataSent, lastAckSent, lastDataReceived, lastAckRecv uint32 // ms ago
}

func (i *tcpInfo) activity() Activity {
	ms := func(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }
	return Activity{
		Known:            true,
		LastDataSent:     ms(i.lastDataSent),
		LastDataReceived: ms(i.lastDataReceived),
		LastAckReceived:  ms(i.lastAckRecv),
		Unacked:          int(i.unacked),
		Retransmits:      int(i.retransmits),
		Probes:           int(i.probes),
		Backoff:          int(i.backoff),
	}
}

// decode reads the attribute INET_DIAG_INFO, which is the same structure.
func (i *tcpInfo) decode(b []byte) bool {
	if len(b) < int(unsafe.Sizeof(*i)) {
		return false
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(i)), unsafe.Sizeof(*i)), b)
	return true
}

// valueSize is what getsockopt must have written for the fields above to be
// real: older kernels have a shorter structure, but none so short.
const valueSize = uint32(unsafe.Sizeof(tcpInfo{}))

func short(n uint32) error {
	if n < valueSize {
		return unix.EMSGSIZE
	}
	return nil
}
