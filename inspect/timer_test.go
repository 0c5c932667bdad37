package inspect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/inspect"
)

// The texts are those of ss (print_ms_timer in misc/ss.c) and of netstat
// (net-tools), before and after iproute2 6.11.
func TestTimerTexts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		kind             inspect.TimerKind
		ms               int64
		n                int
		ss, old, netstat string
	}{
		{inspect.TimerOff, 0, 0, "", "", "off (0.00/0/0)"},
		{inspect.TimerUnknown, 0, 0, "timer:(unknown)", "timer:(unknown)", "unknown"},
		{inspect.TimerOn, 0, 8, "timer:(on,,8)", "timer:(on,,8)", "on (0.00/8/0)"},
		{inspect.TimerKeepAlive, 3, 0, "timer:(keepalive,003ms,0)", "timer:(keepalive,003ms,0)", "keepalive (0.00/0/0)"},
		{inspect.TimerKeepAlive, 848, 0, "timer:(keepalive,848ms,0)", "timer:(keepalive,848ms,0)", "keepalive (0.84/0/0)"},
		{inspect.TimerKeepAlive, 6696, 2, "timer:(keepalive,6.696sec,2)", "timer:(keepalive,6.696ms,2)", "keepalive (6.69/0/2)"},
		{inspect.TimerKeepAlive, 9000, 0, "timer:(keepalive,9sec,0)", "timer:(keepalive,9sec,0)", "keepalive (9.00/0/0)"},
		{inspect.TimerKeepAlive, 9999, 0, "timer:(keepalive,9.999sec,0)", "timer:(keepalive,9.999ms,0)", "keepalive (9.99/0/0)"},
		{inspect.TimerKeepAlive, 10000, 0, "timer:(keepalive,10sec,0)", "timer:(keepalive,10sec,0)", "keepalive (10.00/0/0)"},
		{inspect.TimerKeepAlive, 10999, 0, "timer:(keepalive,10sec,0)", "timer:(keepalive,10sec,0)", "keepalive (10.99/0/0)"},
		{inspect.TimerKeepAlive, 60000, 0, "timer:(keepalive,1min,0)", "timer:(keepalive,1min,0)", "keepalive (60.00/0/0)"},
		{inspect.TimerKeepAlive, 61500, 0, "timer:(keepalive,1min1sec,0)", "timer:(keepalive,1min1sec,0)", "keepalive (61.50/0/0)"},
		{inspect.TimerKeepAlive, 99748, 0, "timer:(keepalive,1min39sec,0)", "timer:(keepalive,1min39sec,0)", "keepalive (99.74/0/0)"},
		{inspect.TimerKeepAlive, 599999, 0, "timer:(keepalive,9min59sec,0)", "timer:(keepalive,9min59sec,0)", "keepalive (599.99/0/0)"},
		{inspect.TimerKeepAlive, 600000, 0, "timer:(keepalive,10min,0)", "timer:(keepalive,10min,0)", "keepalive (600.00/0/0)"},
		{inspect.TimerKeepAlive, 7199000, 0, "timer:(keepalive,119min,0)", "timer:(keepalive,119min,0)", "keepalive (7199.00/0/0)"},
		{inspect.TimerTimeWait, 59000, 0, "timer:(timewait,59sec,0)", "timer:(timewait,59sec,0)", "timewait (59.00/0/0)"},
		{inspect.TimerPersist, 1500, 4, "timer:(persist,1.500sec,4)", "timer:(persist,1.500ms,4)", "probe (1.50/0/4)"},
		{inspect.TimerDelack, 40, 0, "timer:(delack,040ms,0)", "timer:(unknown,040ms,0)", "unkn-5 (0.04/0/0)"},
	} {
		timer := inspect.Timer{Kind: row.kind, Left: time.Duration(row.ms) * time.Millisecond, Unanswered: row.n}
		assert.Equal(t, row.ss, timer.String())
		assert.Equal(t, row.old, string(timer.Append(nil, inspect.OldSS)))
		assert.Equal(t, row.netstat, string(timer.Append(nil, inspect.Netstat)))
		assert.Equal(t, "x"+row.ss, string(timer.Append([]byte("x"), inspect.SS)), "appended")
		assert.Equal(t, row.ss, (&inspect.Report{Socket: inspect.Socket{Timer: timer}}).String())
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "FIN-WAIT-1", inspect.FinWait1.String())
	assert.Equal(t, "UNCONN", inspect.Closed.String())
	assert.Equal(t, "BOUND-INACTIVE", inspect.BoundInactive.String())
	assert.Equal(t, "State(77)", inspect.State(77).String())
	assert.Equal(t, "TimerKind(77)", inspect.TimerKind(77).String())
	assert.Equal(t, "Source(77)", inspect.Source(77).String())
	assert.Equal(t, "sock_diag", inspect.SockDiag.String())
	assert.Equal(t, "none", inspect.NoSource.String())
	for text, s := range map[string]inspect.Shutdown{
		"": 0, "<->": inspect.ShutdownKnown, "<--": inspect.ShutdownKnown | inspect.ShutdownSend,
		"-->": inspect.ShutdownKnown | inspect.ShutdownReceive, "---": inspect.ShutdownKnown | inspect.ShutdownReceive | inspect.ShutdownSend,
	} {
		assert.Equal(t, text, s.String())
	}
}

func TestTheZeroStateSetIsThatOfConnections(t *testing.T) {
	t.Parallel()
	for s := range inspect.BoundInactive + 1 {
		want := map[inspect.State]bool{
			inspect.StateUnknown: true, // no socket has it
			inspect.Established:  true, inspect.SynSent: true, inspect.FinWait1: true, inspect.FinWait2: true,
			inspect.CloseWait: true, inspect.LastAck: true, inspect.Closing: true,
		}[s]
		assert.Equal(t, want, inspect.StateSet(0).Has(s), s)
		assert.True(t, inspect.AllStates.Has(s), s)
		assert.True(t, inspect.States(inspect.Listen, s).Has(s), s)
	}
	assert.False(t, inspect.States(inspect.Listen).Has(inspect.Established))
}
