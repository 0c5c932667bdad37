package inspect

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		health health
		want   error
		text   string
	}{
		{health{State: Established}, nil, "ESTAB"},
		{health{State: Established, Unacked: 5}, nil, "ESTAB"},
		{health{State: Established, Probes: 1}, ErrSuspect, "ESTAB, 1 probe unanswered"},
		{health{State: Established, Retransmits: 2, Probes: 3}, ErrSuspect, "ESTAB, 3 probes unanswered, 2 retransmissions"},
		{health{State: Established, Backoff: 1}, nil, "ESTAB"},
		{health{State: Established, Backoff: 7, WindowClosed: true}, nil, "ESTAB, the peer's window is closed"},
		{health{State: Established, Probes: 1, WindowClosed: true}, ErrSuspect, "ESTAB, 1 probe unanswered, the peer's window is closed"},
		{health{State: Established, PathLost: true}, ErrSuspect, "ESTAB, no subflow is left"},
		{health{State: CloseWait, PathLost: true}, ErrPeerClosed, "CLOSE-WAIT, no subflow is left"},
		{health{State: CloseWait}, ErrPeerClosed, "CLOSE-WAIT"},
		{health{State: LastAck}, ErrPeerClosed, "LAST-ACK"},
		{health{State: Closing}, ErrPeerClosed, "CLOSING"},
		{health{State: Closed}, ErrGone, "UNCONN"},
		{health{State: FinWait1}, ErrNotConnected, "FIN-WAIT-1"},
		{health{State: SynSent}, ErrNotConnected, "SYN-SENT"},
		{health{State: Listen}, ErrNotConnected, "LISTEN"},
		{health{}, ErrNotConnected, "UNKNOWN"},
	} {
		assert.ErrorIs(t, row.health.err(), row.want, "%+v", row.health)
		assert.Equal(t, row.text, row.health.String())
	}
}
