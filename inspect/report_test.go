package inspect_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

const s = time.Second

// report is a healthy connection with idle 60 s, interval 10 s, count 3, whose peer has
// sent something 20 s ago, changed by a test.
func report(change func(*inspect.Report)) *inspect.Report {
	r := &inspect.Report{
		Source: "sock_diag", State: inspect.Established, Inode: 1,
		Timer:    inspect.Timer{Kind: "keepalive", Left: 40 * s},
		Activity: inspect.Activity{Known: true, LastDataReceived: 20 * s, LastAckReceived: 30 * s},
		Settings: platform.Settings{
			Known:   kernel.SetOf(kernel.Options()...),
			Enabled: true, Idle: 60 * s, Interval: 10 * s, Count: 3,
		},
	}
	if change != nil {
		change(r)
	}
	return r
}

func TestNextProbeAndExplain(t *testing.T) {
	t.Parallel()
	if platform.Current().Name != "linux" {
		t.Skip("the words are about Linux' settings")
	}
	for _, row := range []struct {
		rule   string
		change func(*inspect.Report)
		next   time.Duration
		err    error // that NextProbe wraps
		words  string
	}{
		{"the timer decides", nil, 40 * s, nil,
			"next probe in 40s; the peer is given up 1m30s after its last answer"},
		{"traffic pushes the probe, not the timer", func(r *inspect.Report) { r.Activity.LastDataReceived = 5 * s }, 55 * s, nil,
			"next probe in 55s; the peer is given up 1m30s after its last answer"},
		{"an acknowledgement counts as well", func(r *inspect.Report) { r.Activity.LastAckReceived = 2 * s }, 58 * s, nil,
			"next probe in 58s; the peer is given up 1m30s after its last answer"},
		{"a timer armed late leaves late", func(r *inspect.Report) { r.Timer.Left = 300 * s }, 300 * s, nil,
			"next probe in 5m0s; the peer is given up 1m30s after its last answer"},
		{"overdue", func(r *inspect.Report) {
			r.Timer.Left = 0
			r.Activity.LastDataReceived, r.Activity.LastAckReceived = 61*s, 61*s
		}, 0, nil,
			"next probe in 0s; the peer is given up 1m30s after its last answer"},
		{"probing", func(r *inspect.Report) {
			r.Timer.Left, r.Timer.Unanswered, r.Activity.Probes = 8500*time.Millisecond, 2, 2
			r.Activity.LastDataReceived, r.Activity.LastAckReceived = 71*s, 71*s
		}, 8500 * time.Millisecond, nil, "2 probes unanswered, next in 8.5s; the peer is given up 1m30s after its last answer"},
		{"one probe", func(r *inspect.Report) { r.Activity.Probes = 1 }, 40 * s, nil,
			"1 probe unanswered, next in 40s; the peer is given up 1m30s after its last answer"},
		{"a user timeout replaces the count", func(r *inspect.Report) { r.Settings.UserTimeout = 61 * s }, 40 * s, nil,
			"next probe in 40s; the peer is given up 1m10s after its last answer"},
		{"off", func(r *inspect.Report) { r.Settings.Enabled = false; r.Timer = inspect.Timer{Kind: "off"} }, 0, inspect.ErrNoProbe,
			"keepalive is off: a dead peer of an idle connection is never noticed"},
		{"data in flight", func(r *inspect.Report) { r.Timer.Kind = "on" }, 0, inspect.ErrNoProbe,
			"data is in flight: no probe is sent; net.ipv4.tcp_retries2 decides, which is unknown"},
		{"data in flight that is repeated", func(r *inspect.Report) {
			r.Timer.Kind, r.Timer.Unanswered = "on", 3
			r.Settings.UserTimeout = 30 * s
		}, 0, inspect.ErrNoProbe, "data is in flight, 3 retransmissions: no probe is sent; the user timeout of 30s decides"},
		{"data in flight of which only TCP_INFO knows", func(r *inspect.Report) { r.Activity.Unacked = 1 }, 0, inspect.ErrNoProbe,
			"data is in flight: no probe is sent; net.ipv4.tcp_retries2 decides, which is unknown"},
		{"what the machine says, not what is usual", func(r *inspect.Report) {
			r.Activity.Unacked, r.Timer.Kind = 1, "on"
			limits := platform.Retries(kernel.DefaultRetries())
			r.Retries = &limits
			r.Retries.Data = 5
		}, 0, inspect.ErrNoProbe,
			"data is in flight: no probe is sent; net.ipv4.tcp_retries2=5 decides, not before 13s"},
		{"nobody has it open", func(r *inspect.Report) {
			r.Activity.Unacked, r.Timer.Kind, r.State, r.Inode = 1, "on", inspect.FinWait1, 0
			limits := platform.Retries(kernel.DefaultRetries())
			r.Retries = &limits
			r.Retries.Orphan = 2
		}, 0, inspect.ErrNoProbe,
			"data is in flight: no probe is sent; net.ipv4.tcp_orphan_retries=2 decides, not before 1.4s"},
		{"window probes are counted", func(r *inspect.Report) {
			r.Timer.Kind, r.Timer.Unanswered = "persist", 2
			r.Activity.Probes = 2
			limits := platform.Retries(kernel.DefaultRetries())
			r.Retries = &limits
		}, 0, inspect.ErrNoProbe,
			"the peer's window is zero, 2 window probes unanswered; net.ipv4.tcp_retries2=15 decides, so many unanswered in a row"},
		{"a window probe whose answer is not overdue", func(r *inspect.Report) {
			r.Timer.Kind, r.Timer.Unanswered = "persist", 1
		}, 0, inspect.ErrNoProbe,
			"the peer's window is zero, and it answers: it does not read; it is not given up for that"},
		{"zero window", func(r *inspect.Report) {
			r.Timer.Kind, r.Activity = "persist", inspect.Activity{}
			r.Timer.Unanswered = 1
		}, 0, inspect.ErrNoProbe,
			"the peer's window is zero, 1 window probe unanswered; net.ipv4.tcp_retries2 decides, which is unknown"},
		{"on without a timer is unknown", func(r *inspect.Report) { r.Timer = inspect.Timer{Kind: "off"} }, 0, sockopt.ErrUnknown,
			"next probe: keepalive is on, yet no timer is shown: it is unknown; the peer is given up 1m30s after its last answer"},
		{"an unknown timer", func(r *inspect.Report) { r.Timer = inspect.Timer{}; r.Unknown = errors.New("the reason") }, 0, sockopt.ErrUnknown,
			"when the next probe leaves is unknown: the reason; the peer is given up 1m30s after its last answer"},
		{"settings that nobody could read", func(r *inspect.Report) { r.Settings = platform.Settings{} }, 0, sockopt.ErrUnknown,
			"next probe: whether keepalive is on is unknown; when the peer is given up is unknown: detection time: whether keepalive is on is unknown"},
		{"traffic that nobody could see", func(r *inspect.Report) { r.Activity = inspect.Activity{} }, 0, sockopt.ErrUnknown,
			"next probe: when the last segment arrived is unknown; the peer is given up 1m30s after its last answer"},
		{"a listener", func(r *inspect.Report) { r.State = inspect.Listen; r.Timer = inspect.Timer{Kind: "off"} }, 0, inspect.ErrNoProbe,
			"a listener: connections that inherit this give a peer up 1m30s after its last answer"},
		{"a listener without", func(r *inspect.Report) { r.State = inspect.Listen; r.Settings.Enabled = false }, 0, inspect.ErrNoProbe,
			"a listener: keepalive is off"},
		{"gone", func(r *inspect.Report) { r.State = inspect.Closed }, 0, inspect.ErrNoProbe,
			"the connection is gone: reset, or its peer was given up; the next Read or Write says which"},
		{"connecting", func(r *inspect.Report) { r.State = inspect.SynSent; r.Timer.Kind = "on" }, 0, inspect.ErrNoProbe,
			"connecting: keepalive starts with the connection"},
		{"TIME-WAIT", func(r *inspect.Report) { r.State = inspect.TimeWait; r.Timer.Kind = "timewait" }, 0, inspect.ErrNoProbe,
			"closed on both sides: the kernel keeps it for late segments"},
		{"an orphan in FIN-WAIT-2 uses the same timer", func(r *inspect.Report) {
			r.State, r.Inode, r.Settings = inspect.FinWait2, 0, platform.Settings{}
		}, 0, sockopt.ErrUnknown, "closed here, nobody has it open: the kernel drops it in 40s"},
		{"half closed by the peer still probes", func(r *inspect.Report) { r.State = inspect.CloseWait }, 40 * s, nil,
			"next probe in 40s; the peer is given up 1m30s after its last answer"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			t.Parallel()
			r := report(row.change)
			next, err := r.NextProbe()
			assert.Equal(t, row.next, next)
			if row.err == nil {
				assert.NoError(t, err)
			} else {
				assert.ErrorIs(t, err, row.err)
			}
			assert.Equal(t, row.words, r.Explain())
		})
	}
}

func TestUnanswered(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rule   string
		change func(*inspect.Report)
		n      int
		known  bool
	}{
		{"TCP_INFO knows", func(r *inspect.Report) { r.Activity.Probes, r.Timer.Unanswered = 3, 1 }, 3, true},
		{"the timer knows", func(r *inspect.Report) { r.Activity, r.Timer.Unanswered = inspect.Activity{}, 2 }, 2, true},
		{"retransmissions are no probes", func(r *inspect.Report) {
			r.Activity, r.Timer = inspect.Activity{}, inspect.Timer{Kind: "on", Unanswered: 2}
		}, 0, false},
	} {
		n, known := report(row.change).Unanswered()
		assert.Equal(t, row.n, n, row.rule)
		assert.Equal(t, row.known, known, row.rule)
	}
}
