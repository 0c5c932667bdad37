package inspect

import (
	"time"
)

// longestInterval bounds the time between two window probes: TCP_RTO_MAX, which a
// machine or a program may have made shorter.
const longestInterval = 120 * time.Second

// answersLimited is how long after an answer Linux gives none to a window probe
// (net.ipv4.tcp_invalid_ratelimit): the second probe of a stall has none.
const answersLimited = 500 * time.Millisecond

// health reads the counters in the state that they belong to.
//
//   - Retransmits is reset when data is acknowledged.
//   - Probes is reset by any answer. It counts window probes while data waits for
//     the peer's window, otherwise keepalive probes.
//   - Backoff says nothing by itself. It is not reset by the answer to a window
//     probe, and while there are no timestamps not by an acknowledgement either.
//
// Source: tcp_ack, tcp_ack_probe and tcp_ack_update_rtt in net/ipv4/tcp_input.c.
func (i *tcpInfo) health() health {
	h := health{
		State: State(i.state), Unacked: int(i.unacked), Retransmits: int(i.retransmits),
		Probes: int(i.probes), Backoff: int(i.backoff), WindowClosed: i.windowClosed(),
	}
	if h.WindowClosed {
		h.Probes = 0
		if i.windowProbeOverdue() {
			h.Probes = max(1, int(i.probes))
		}
	}
	return h
}

// windowClosed reports whether window probes are sent: data waits and none is in
// flight, or a window was taken back that was in use, and retransmissions serve
// as probes (tcp_retransmit_timer in net/ipv4/tcp_timer.c).
func (i *tcpInfo) windowClosed() bool {
	if i.unacked == 0 {
		return i.notSent > 0
	}
	return i.size >= valueSize && i.window == 0
}

// windowProbeOverdue reports whether a window probe should have been answered by
// now: nothing came since it left, and that is longer ago than a round trip. A
// probe leaves twice as long after the one before; an answer does not begin that
// anew.
func (i *tcpInfo) windowProbeOverdue() bool {
	rto := time.Duration(i.rto) * time.Microsecond
	silent := time.Duration(min(i.lastDataReceived, i.lastAckRecv)) * time.Millisecond
	if i.unacked > 0 { // here each retransmission doubles the timeout itself, and none is counted
		return i.backoff > 0 && rto/2 >= answersLimited && silent > rto+rto/8
	}
	left := time.Duration(0) // when a probe left, counted from the last answer
	for n := int(i.backoff) - int(i.probes); n < int(i.backoff); n++ {
		left += min(rto<<min(max(n, 0), 16), longestInterval)
		if left >= answersLimited && silent > left+left/8+rto { // a timer may be late by an eighth
			return true
		}
	}
	return false
}
