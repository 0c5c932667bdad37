package inspect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/inspect"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	timer := inspect.Timer{Kind: "keepalive", Left: 99748 * time.Millisecond, Unanswered: 2}
	assert.Equal(t, "timer:(keepalive,1min39sec,2)", timer.String())
	assert.Equal(t, timer.String(), inspect.Report{Timer: timer}.String())
	assert.Equal(t, "timer:(unknown)", inspect.Report{}.String())
	assert.Equal(t, "FIN-WAIT-1", inspect.FinWait1.String())
	assert.Equal(t, "UNCONN", inspect.Closed.String())
	assert.Equal(t, "BOUND-INACTIVE", inspect.BoundInactive.String())
	assert.Equal(t, "State(77)", inspect.State(77).String())
}
