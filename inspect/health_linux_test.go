package inspect

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Each counter means something in its state only. Times are those that Linux
// shows: rto in µs, the rest in ms.
func TestCountersInTheirState(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		info tcpInfoFields
		want health
		err  error
	}{
		"idle": {tcpInfoFields{rto: 200_000, window: 9}, health{}, nil},
		"a keepalive probe has no answer": {tcpInfoFields{rto: 200_000, probes: 1, window: 9},
			health{Probes: 1}, ErrSuspect},
		"backoff is left from data that was acknowledged since": {tcpInfoFields{rto: 200_000, backoff: 3, window: 9},
			health{Backoff: 3}, nil},
		"data is in flight": {tcpInfoFields{rto: 200_000, unacked: 3, window: 9},
			health{Unacked: 3}, nil},
		"data is retransmitted": {tcpInfoFields{rto: 400_000, unacked: 3, retransmits: 1, backoff: 1, window: 9},
			health{Unacked: 3, Retransmits: 1, Backoff: 1}, ErrSuspect},
		"the window is closed, the third probe was answered": {tcpInfoFields{rto: 200_000, notSent: 9, backoff: 3, lastAckRecv: 900, lastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 3}, nil},
		"the answer to a window probe is on its way": {tcpInfoFields{rto: 200_000, notSent: 9, probes: 1, backoff: 3, lastAckRecv: 820, lastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 3}, nil},
		"it is overdue": {tcpInfoFields{rto: 200_000, notSent: 9, probes: 1, backoff: 3, lastAckRecv: 1101, lastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 3, Probes: 1}, ErrSuspect},
		"two window probes have no answer": {tcpInfoFields{rto: 200_000, notSent: 9, probes: 2, backoff: 9, lastAckRecv: 77_000, lastDataReceived: 500_000},
			health{WindowClosed: true, Backoff: 9, Probes: 2}, ErrSuspect},
		"Linux answers twice a second at most": {tcpInfoFields{rto: 200_000, notSent: 9, probes: 1, backoff: 2, lastAckRecv: 1100, lastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 2}, nil},
		"the next probe it answers": {tcpInfoFields{rto: 200_000, notSent: 9, probes: 2, backoff: 3, lastAckRecv: 1500, lastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 3}, nil},
		"unless it is gone": {tcpInfoFields{rto: 200_000, notSent: 9, probes: 2, backoff: 3, lastAckRecv: 1600, lastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 3, Probes: 2}, ErrSuspect},
		"the longest interval": {tcpInfoFields{rto: 200_000, notSent: 9, probes: 1, backoff: 15, lastAckRecv: 130_000, lastDataReceived: 200_000},
			health{WindowClosed: true, Backoff: 15}, nil},
		"and longer": {tcpInfoFields{rto: 200_000, notSent: 9, probes: 1, backoff: 15, lastAckRecv: 135_300, lastDataReceived: 200_000},
			health{WindowClosed: true, Backoff: 15, Probes: 1}, ErrSuspect},
		"a window taken back is asked for by retransmissions, which were answered": {tcpInfoFields{rto: 800_000, unacked: 1, backoff: 2, lastAckRecv: 400, lastDataReceived: 5000},
			health{WindowClosed: true, Unacked: 1, Backoff: 2}, nil},
		"or not": {tcpInfoFields{rto: 1_600_000, unacked: 1, backoff: 3, lastAckRecv: 1901, lastDataReceived: 5000},
			health{WindowClosed: true, Unacked: 1, Backoff: 3, Probes: 1}, ErrSuspect},
	} {
		row.info.state = uint8(Established)
		row.want.State = Established
		i := tcpInfo{row.info, valueSize}
		assert.Equal(t, row.want, i.health(), rule)
		h := i.health()
		assert.ErrorIs(t, h.err(), row.err, rule)
	}
	old := tcpInfo{tcpInfoFields{state: uint8(Established), unacked: 3, backoff: 1, rto: 200_000, lastAckRecv: 9000, lastDataReceived: 9000}, minSize}
	assert.False(t, old.health().WindowClosed, "before Linux 5.4 the window is not known")
}
