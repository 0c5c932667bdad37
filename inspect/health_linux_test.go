package inspect

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/tcpinfo"
)

// Each counter means something in its state only. Times are those that Linux
// shows: rto in µs, the rest in ms.
func TestCountersInTheirState(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		info tcpinfo.Fields
		want health
		err  error
	}{
		"idle": {tcpinfo.Fields{RTO: 200_000, Window: 9}, health{}, nil},
		"a keepalive probe has no answer": {tcpinfo.Fields{RTO: 200_000, Probes: 1, Window: 9},
			health{Probes: 1}, ErrSuspect},
		"backoff is left from data that was acknowledged since": {tcpinfo.Fields{RTO: 200_000, Backoff: 3, Window: 9},
			health{Backoff: 3}, nil},
		"data is in flight": {tcpinfo.Fields{RTO: 200_000, Unacked: 3, Window: 9},
			health{Unacked: 3}, nil},
		"data is retransmitted": {tcpinfo.Fields{RTO: 400_000, Unacked: 3, Retransmits: 1, Backoff: 1, Window: 9},
			health{Unacked: 3, Retransmits: 1, Backoff: 1}, ErrSuspect},
		"the window is closed, the third probe was answered": {tcpinfo.Fields{RTO: 200_000, NotSent: 9, Backoff: 3, LastAckReceived: 900, LastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 3}, nil},
		"the answer to a window probe is on its way": {tcpinfo.Fields{RTO: 200_000, NotSent: 9, Probes: 1, Backoff: 3, LastAckReceived: 820, LastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 3}, nil},
		"it is overdue": {tcpinfo.Fields{RTO: 200_000, NotSent: 9, Probes: 1, Backoff: 3, LastAckReceived: 1101, LastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 3, Probes: 1}, ErrSuspect},
		"two window probes have no answer": {tcpinfo.Fields{RTO: 200_000, NotSent: 9, Probes: 2, Backoff: 9, LastAckReceived: 77_000, LastDataReceived: 500_000},
			health{WindowClosed: true, Backoff: 9, Probes: 2}, ErrSuspect},
		"Linux answers twice a second at most": {tcpinfo.Fields{RTO: 200_000, NotSent: 9, Probes: 1, Backoff: 2, LastAckReceived: 1100, LastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 2}, nil},
		"the next probe it answers": {tcpinfo.Fields{RTO: 200_000, NotSent: 9, Probes: 2, Backoff: 3, LastAckReceived: 1500, LastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 3}, nil},
		"unless it is gone": {tcpinfo.Fields{RTO: 200_000, NotSent: 9, Probes: 2, Backoff: 3, LastAckReceived: 1600, LastDataReceived: 5000},
			health{WindowClosed: true, Backoff: 3, Probes: 2}, ErrSuspect},
		"the longest interval": {tcpinfo.Fields{RTO: 200_000, NotSent: 9, Probes: 1, Backoff: 15, LastAckReceived: 130_000, LastDataReceived: 200_000},
			health{WindowClosed: true, Backoff: 15}, nil},
		"and longer": {tcpinfo.Fields{RTO: 200_000, NotSent: 9, Probes: 1, Backoff: 15, LastAckReceived: 135_300, LastDataReceived: 200_000},
			health{WindowClosed: true, Backoff: 15, Probes: 1}, ErrSuspect},
		"a window taken back is asked for by retransmissions, which were answered": {tcpinfo.Fields{RTO: 800_000, Unacked: 1, Backoff: 2, LastAckReceived: 400, LastDataReceived: 5000},
			health{WindowClosed: true, Unacked: 1, Backoff: 2}, nil},
		"or not": {tcpinfo.Fields{RTO: 1_600_000, Unacked: 1, Backoff: 3, LastAckReceived: 1901, LastDataReceived: 5000},
			health{WindowClosed: true, Unacked: 1, Backoff: 3, Probes: 1}, ErrSuspect},
	} {
		row.info.State = uint8(Established)
		row.want.State = Established
		i := tcpinfo.Info{Fields: row.info, Size: tcpinfo.WholeSize}
		assert.Equal(t, row.want, healthOf(&i), rule)
		h := healthOf(&i)
		assert.ErrorIs(t, h.err(), row.err, rule)
	}
	old := tcpinfo.Info{Fields: tcpinfo.Fields{State: uint8(Established), Unacked: 3, Backoff: 1, RTO: 200_000, LastAckReceived: 9000, LastDataReceived: 9000}, Size: tcpinfo.MinSize}
	assert.False(t, healthOf(&old).WindowClosed, "before Linux 5.4 the window is not known")
}
