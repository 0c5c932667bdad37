package inspect_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	timer := inspect.Timer{Kind: "keepalive", Left: 99748 * time.Millisecond, Unanswered: 2}
	assert.Equal(t, "timer:(keepalive,1min39sec,2)", timer.String())
	assert.Equal(t, "timer:(unknown)", inspect.Timer{}.String())
	r := inspect.Report{
		State: inspect.Established, Local: netip.MustParseAddrPort("10.0.0.1:51634"), Peer: netip.MustParseAddrPort("10.0.0.2:5432"),
		Settings: platform.Settings{Known: kernel.SetOf(kernel.Options()...), Enabled: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 3},
		Timer:    timer,
	}
	const ends = "10.0.0.1:51634 -> 10.0.0.2:5432 "
	assert.Equal(t, "ESTAB "+ends+"on idle=60s interval=10s count=3 user-timeout=off timer:(keepalive,1min39sec,2)", r.String())
	r.Settings.Enabled, r.Timer = false, inspect.Timer{Kind: "off"}
	const off = "off idle=60s interval=10s count=3 user-timeout=off"
	assert.Equal(t, "ESTAB "+ends+off, fmt.Sprint(r), "no timer runs")
	r.State, r.Peer = inspect.Listen, netip.AddrPort{}
	assert.Equal(t, "LISTEN 10.0.0.1:51634 "+off, r.String())
	assert.Equal(t, "timer:(unknown)", inspect.Report{}.String())
	assert.Equal(t, "FIN-WAIT-1", inspect.FinWait1.String())
	assert.Equal(t, "UNCONN", inspect.Closed.String())
	assert.Equal(t, "BOUND-INACTIVE", inspect.BoundInactive.String())
	assert.Equal(t, "State(77)", inspect.State(77).String())
}
