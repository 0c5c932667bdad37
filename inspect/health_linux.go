package inspect

import (
	"time"

	"github.com/tcpkeepalive/keepalive/internal/tcpinfo"
)

// longestInterval bounds the time between two window probes: TCP_RTO_MAX, which
// a machine or a program may have shortened.
const longestInterval = 120 * time.Second

// answersLimited is the time after an answer during which Linux does not answer
// another window probe (net.ipv4.tcp_invalid_ratelimit): the second probe of a
// stall gets no answer.
const answersLimited = 500 * time.Millisecond

// healthOf interprets the counters according to the state of the connection.
//
//   - Retransmits is reset when data is acknowledged.
//   - Probes is reset by any answer. It counts window probes while data waits for
//     the peer's window, otherwise keepalive probes.
//   - Backoff proves nothing by itself. The answer to a window probe does not
//     reset it; without timestamps, an acknowledgement does not reset it either.
//
// Source: tcp_ack, tcp_ack_probe and tcp_ack_update_rtt in net/ipv4/tcp_input.c.
func healthOf(i *tcpinfo.Info) health {
	h := health{
		State: State(i.State), Unacked: int(i.Unacked), Retransmits: int(i.Retransmits),
		Probes: int(i.Probes), Backoff: int(i.Backoff), WindowClosed: windowClosed(i),
	}
	if h.WindowClosed {
		h.Probes = 0
		if windowProbeOverdue(i) {
			h.Probes = max(1, int(i.Probes))
		}
	}
	return h
}

// windowClosed reports whether window probes are sent: data waits and none is in
// flight, or the peer shrank a window that was in use, so that retransmissions
// serve as probes (tcp_retransmit_timer in net/ipv4/tcp_timer.c).
func windowClosed(i *tcpinfo.Info) bool {
	if i.Unacked == 0 {
		return i.NotSent > 0
	}
	return i.Size >= tcpinfo.WholeSize && i.Window == 0
}

// windowProbeOverdue reports whether a window probe should have been answered by
// now: nothing has arrived since it was sent, and that is longer ago than a
// round trip. The time between two probes doubles each time; an answer does not
// reset it.
func windowProbeOverdue(i *tcpinfo.Info) bool {
	rto := time.Duration(i.RTO) * time.Microsecond
	silent := time.Duration(min(i.LastDataReceived, i.LastAckReceived)) * time.Millisecond
	if i.Unacked > 0 { // here each retransmission doubles the timeout itself, and none is counted
		return i.Backoff > 0 && rto/2 >= answersLimited && silent > rto+rto/8
	}
	left := time.Duration(0) // when a probe was sent, counted from the last answer
	for n := int(i.Backoff) - int(i.Probes); n < int(i.Backoff); n++ {
		left += min(rto<<min(max(n, 0), 16), longestInterval)
		if left >= answersLimited && silent > left+left/8+rto { // a timer may be late by an eighth
			return true
		}
	}
	return false
}

// activityOf returns the times and counters.
func activityOf(i *tcpinfo.Info) Activity {
	ms := func(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }
	h := healthOf(i)
	return Activity{
		Known:            true,
		LastDataSent:     ms(i.LastDataSent),
		LastDataReceived: ms(i.LastDataReceived),
		LastAckReceived:  ms(i.LastAckReceived),
		Unacked:          h.Unacked,
		Retransmits:      h.Retransmits,
		Probes:           h.Probes,
		Backoff:          h.Backoff,
		WindowClosed:     h.WindowClosed,
	}
}
