package inspect

import (
	"time"
)

// longestInterval bounds the time between two window probes: TCP_RTO_MAX, which
// a machine or a program may have shortened.
const longestInterval = 120 * time.Second

// answersLimited is the time after an answer during which Linux does not answer
// another window probe (net.ipv4.tcp_invalid_ratelimit): the second probe of a
// stall gets no answer.
const answersLimited = 500 * time.Millisecond

// health interprets the counters according to the state of the connection.
//
//   - Retransmits is reset when data is acknowledged.
//   - Probes is reset by any answer. It counts window probes while data waits for
//     the peer's window, otherwise keepalive probes.
//   - Backoff proves nothing by itself. The answer to a window probe does not
//     reset it; without timestamps, an acknowledgement does not reset it either.
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
// flight, or the peer shrank a window that was in use, so that retransmissions
// serve as probes (tcp_retransmit_timer in net/ipv4/tcp_timer.c).
func (i *tcpInfo) windowClosed() bool {
	if i.unacked == 0 {
		return i.notSent > 0
	}
	return i.size >= valueSize && i.window == 0
}

// windowProbeOverdue reports whether a window probe should have been answered by
// now: nothing has arrived since it was sent, and that is longer ago than a
// round trip. The time between two probes doubles each time; an answer does not
// reset it.
func (i *tcpInfo) windowProbeOverdue() bool {
	rto := time.Duration(i.rto) * time.Microsecond
	silent := time.Duration(min(i.lastDataReceived, i.lastAckRecv)) * time.Millisecond
	if i.unacked > 0 { // here each retransmission doubles the timeout itself, and none is counted
		return i.backoff > 0 && rto/2 >= answersLimited && silent > rto+rto/8
	}
	left := time.Duration(0) // when a probe was sent, counted from the last answer
	for n := int(i.backoff) - int(i.probes); n < int(i.backoff); n++ {
		left += min(rto<<min(max(n, 0), 16), longestInterval)
		if left >= answersLimited && silent > left+left/8+rto { // a timer may be late by an eighth
			return true
		}
	}
	return false
}
