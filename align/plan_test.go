package align_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func request(t *testing.T, ids ...string) align.Request {
	t.Helper()
	path, err := align.Path(ids...)
	require.NoError(t, err)
	return align.Request{Path: path}
}

func own(timeout time.Duration) align.Request {
	return align.Request{Path: []align.Profile{{ID: "box", Timeout: timeout, Refreshed: platform.Yes}}}
}

func mustPlan(t *testing.T, r align.Request) *align.Plan {
	t.Helper()
	p, err := r.Plan()
	require.NoError(t, err)
	return p
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func settings(idle, interval, count int, userTimeout time.Duration) platform.Settings {
	cfg := sockopt.Config{Idle: seconds(idle), Interval: seconds(interval), Count: count, UserTimeout: userTimeout}
	if userTimeout == 0 {
		cfg.UserTimeout = sockopt.NoUserTimeout
	}
	return kernel.Linux().Effect(kernel.Request(cfg), platform.Settings{})
}

// TestMeasuredRows: 24 real connections a row, Linux 6.18 with HZ=250, interval
// 15 s. Where one was lost the verdict may not be that it survives, and where it
// is that, none was.
// A time so long that sums of it overflow would seem to be refreshed in time.
func TestAssessRefusesWhatOverflows(t *testing.T) {
	t.Parallel()
	path, err := align.Path("aws-nlb-tcp")
	require.NoError(t, err)
	for option, change := range map[string]func(*platform.Settings){
		"idle":         func(s *platform.Settings) { s.Idle = math.MaxInt64 - time.Second },
		"interval":     func(s *platform.Settings) { s.Interval = 150 * 365 * 24 * time.Hour },
		"user-timeout": func(s *platform.Settings) { s.UserTimeout = -time.Second },
	} {
		s := platform.Settings{Known: kernel.SetOf(kernel.Options()...), Enabled: true, Idle: time.Minute, Interval: time.Second, Count: 3}
		change(&s)
		_, err := align.Request{Path: path}.Assess(s)
		var wrong *align.ValueError
		if assert.ErrorAs(t, err, &wrong) {
			assert.Equal(t, option, wrong.Field)
		}
	}
}

func TestMeasuredRows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		timeout, idle, lost int
	}{
		{350, 349, 24}, {350, 345, 24}, {350, 340, 10}, {350, 335, 2}, {350, 330, 0}, {350, 320, 0},
		{350, 310, 0}, {350, 305, 0}, {350, 300, 0}, {350, 180, 0}, {350, 60, 0},
		{60, 59, 13}, {60, 58, 1}, {60, 57, 0}, {60, 55, 0}, {60, 53, 0}, {60, 50, 0}, {60, 30, 0},
	} {
		r := own(seconds(tt.timeout))
		r.HZ, r.LostProbes, r.RTT = 250, -1, time.Millisecond
		a, err := r.Assess(settings(tt.idle, 15, 9, 0))
		require.NoError(t, err)
		want := align.Survives
		if tt.lost > 0 {
			want = align.Loses
		}
		assert.Equal(t, want, a.Verdict, "timeout %d idle %d: %s", tt.timeout, tt.idle, a.Reason)
	}
}

func TestPlans(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule    string
		request align.Request
		want    string
	}{
		{"worst common HZ, two lost probes", longest(request(t, "aws-nlb-tcp")), "idle=262s,interval=27s,count=3,user-timeout=350s"},
		{"the tightest decides", longest(request(t, "aws-nlb-tcp", "linux-conntrack", "azure-lb")), "idle=181s,interval=19s,count=3,user-timeout=240s"},
		{"no more than TCP_KEEPIDLE takes", longest(request(t, "linux-conntrack")), "idle=32767s,interval=3277s,count=3,user-timeout=42598s"},
		{"nothing is lost", with(longest(own(seconds(60))), func(r *align.Request) { r.LostProbes = -1 }), "idle=54s,interval=6s,count=1,user-timeout=60s"},
		{"nothing is lost, said in another way", with(longest(own(seconds(60))), func(r *align.Request) { r.LostProbes = -5 }), "idle=54s,interval=6s,count=1,user-timeout=60s"},
		{"a known HZ", with(longest(request(t, "aws-nlb-tcp")), func(r *align.Request) { r.HZ = 250 }), "idle=273s,interval=28s,count=3,user-timeout=357s"},
		{"a margin", with(own(seconds(60)), func(r *align.Request) { r.Margin = seconds(20) }), "idle=30s,interval=3s,count=3,user-timeout=39s"},
		{"no user timeout", with(longest(own(seconds(60))), func(r *align.Request) { r.NoUserTimeout = true }), "idle=44s,interval=5s,count=3,user-timeout=off"},
		{"a plan that people keep", request(t, "aws-nlb-tcp"), "idle=60s,interval=6s,count=3,user-timeout=79s"},
		{"the same on the longest path", request(t, "linux-conntrack"), "idle=60s,interval=6s,count=3,user-timeout=79s"},
		{"5 % of the timeout are left", own(seconds(60)), "idle=41s,interval=5s,count=3,user-timeout=57s"},
		{"or less where no Config leaves so much", own(3400 * time.Millisecond), "idle=1s,interval=1s,count=3,user-timeout=4s"},
		{"a budget that is longer than necessary", with(own(seconds(350)), func(r *align.Request) { r.Detect = seconds(600) }), "idle=60s,interval=6s,count=3,user-timeout=79s"},
		{"a detection budget", with(own(seconds(350)), func(r *align.Request) { r.Detect = seconds(60) }), "idle=40s,interval=4s,count=3,user-timeout=53s"},
		{"a budget alone", align.Request{Detect: seconds(10), HZ: 250, RTT: time.Millisecond}, "idle=6s,interval=1s,count=3,user-timeout=8.9s"},
		{"a budget from the failure", align.Request{Detect: seconds(60), FromFailure: true}, "idle=20s,interval=2s,count=3,user-timeout=27s"},
		{"probes do not help, dead peers are noticed", request(t, "aws-alb"), "idle=30s,interval=10s,count=3,user-timeout=60s"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			p := mustPlan(t, tt.request)
			assert.Equal(t, tt.want, p.Config.String())
			require.NoError(t, p.Config.ValidateFor(p0(platform.Lookup("linux"))))
			if d := tt.request.Detect; d > 0 {
				longest := max(p.Detection.Idle.Latest, p.Detection.InFlight.Latest)
				if tt.request.FromFailure {
					longest = p.Detection.LateWrite.Latest
				}
				assert.LessOrEqual(t, longest, d)
				assert.Greater(t, longest, min(d, 100*time.Second)*3/4, "not much shorter than asked for")
				assert.NotEmpty(t, p.Limits)
				connect := p.Detection.Connect.Latest
				assert.Equal(t, connect > tt.request.Detect, slices.ContainsFunc(p.Limits, func(l align.Limit) bool {
					return strings.HasPrefix(l.When, "connecting: up to ")
				}), "the user timeout does not limit that")
			} else {
				assert.Empty(t, p.Limits)
			}
		})
	}
}

func assume(r align.Request) align.Request {
	r.AssumeRefresh = true
	return r
}

func longest(r align.Request) align.Request {
	r.Longest = true
	return r
}

func p0[T, U any](a T, _ U) T { return a }

func with(r align.Request, change func(*align.Request)) align.Request {
	change(&r)
	return r
}

func TestPlanSaysNo(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"aws-alb", "aws-clb", "aws-global-accelerator", "envoy-tcp-proxy", "envoy-http", "haproxy"} {
		p := mustPlan(t, request(t, "aws-nat-gateway", id))
		assert.Equal(t, align.NeedsHeartbeat, p.Verdict, id)
		assert.Contains(t, p.Reason, id)
		require.NotNil(t, p.Heartbeat, id)
		require.NotEmpty(t, p.Heartbeat.Kinds)
		if id == "haproxy" {
			assert.Zero(t, p.Heartbeat.Every, "its timeout is not known")
			continue
		}
		timeout := lookup(t, id).Timeout // probes keep the NAT gateway
		assert.Less(t, p.Heartbeat.Every, timeout-time.Second)
		assert.Greater(t, p.Heartbeat.Every, timeout*9/10)
		assert.Equal(t, id, p.Heartbeat.Tightest.ID)
		assert.LessOrEqual(t, p.Heartbeat.IdleConnTimeout, timeout-time.Second, "the margin is absolute")
		assert.GreaterOrEqual(t, p.Heartbeat.IdleConnTimeout, p.Heartbeat.Every)
	}
	assert.Equal(t, seconds(58), mustPlan(t, request(t, "aws-alb")).Heartbeat.IdleConnTimeout)
	tiny := mustPlan(t, request(t, "gunicorn")).Heartbeat
	assert.Equal(t, seconds(1), tiny.IdleConnTimeout, "half of what is too short for a margin")

	h := mustPlan(t, with(request(t, "aws-clb"), func(r *align.Request) { r.LostProbes = 100; r.Path[0].Timeout = time.Second }))
	assert.Equal(t, 500*time.Millisecond, h.Heartbeat.Every)
}

// TestRetriesDecide without a user timeout, and are those of no kernel if only some are
// given.
func TestRetriesDecide(t *testing.T) {
	t.Parallel()
	r := own(seconds(350))
	on := settings(60, 10, 3, 0)
	usual, err := r.Assess(on)
	require.NoError(t, err)
	assert.Greater(t, usual.Detection.InFlight.Latest, 15*time.Minute)

	r.Retries = &platform.Retries{Data: 5}
	_, err = r.Assess(on)
	assert.ErrorContains(t, err, "Retries.SYN=0 is out of range: 1 to 127 (net.ipv4.tcp_syn_retries)")

	r.Retries = &platform.Retries{Data: 5, SYN: 6, LinearSYN: 4, LongestRTO: 120 * time.Second}
	few, err := r.Assess(on)
	require.NoError(t, err)
	assert.Less(t, few.Detection.InFlight.Latest, seconds(30))
}

func TestImpossibleRequestsNameTheNearest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		request align.Request
		want    string
		nearest bool
	}{
		{own(seconds(3)), "timeout of box=3s is impossible: to survive 2 probes lost, with settings of whole seconds, it has to be more than 3.4s; with 1 probe lost this one is possible", true},
		{own(seconds(1)), "timeout of box=1s is impossible: to survive 2 probes lost, with settings of whole seconds, it has to be more than 3.4s", false},
		{with(own(seconds(60)), func(r *align.Request) { r.Margin = seconds(60) }), "it has to be more than 63.4s, with a margin of 60s", false},
		{with(own(seconds(60)), func(r *align.Request) { r.LostProbes = 100 }), "it has to be more than 109.", true},
		{align.Request{Detect: seconds(2)}, "detect=2s is impossible: with 2 probes lost and settings of whole seconds it is 4.4s at least", false},
		{align.Request{Detect: seconds(4)}, "; with 1 probe lost 4s is possible", true},
		{align.Request{Detect: seconds(5), FromFailure: true}, "detect=5s is impossible: with 2 probes lost and settings of whole seconds it is 8.6s at least", true},
		{align.Request{Detect: time.Millisecond}, "detect=0.001s is impossible", true},
	} {
		_, err := tt.request.Plan()
		var no *align.ImpossibleError
		require.ErrorAs(t, err, &no, "%+v", tt.request)
		assert.Contains(t, strings.ReplaceAll(err.Error(), "1ms", "0.001s"), tt.want)
		if no.Nearest != nil {
			_, err := no.Nearest.Plan()
			assert.NoError(t, err, "the nearest is possible")
		} else {
			assert.False(t, tt.nearest)
		}
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	nlb := request(t, "aws-nlb-tcp")
	for _, tt := range []struct {
		request align.Request
		want    string
	}{
		{align.Request{}, "path=none: name at least one middlebox"},
		{with(nlb, func(r *align.Request) { r.LostProbes = 127 }), "lost probes=127: at most 126"},
		{with(nlb, func(r *align.Request) { r.Margin = -1 }), "margin=-1ns: 0 to"},
		{with(nlb, func(r *align.Request) { r.Detect = -time.Second }), "detect=-1s: 0 to"},
		{with(nlb, func(r *align.Request) { r.Detect = 1<<63 - 1 }), "detect=9223372036.854775807s: 0 to"},
		{with(nlb, func(r *align.Request) { r.RTT = -1 }), "round trip -1ns is out of range: 0 to 2m0s"},
		{with(nlb, func(r *align.Request) { r.HZ = 1 }), "HZ=1 is out of range: 24 to 1200"},
		{with(nlb, func(r *align.Request) { r.HZ = -250 }), "HZ=-250 is out of range"},
		{with(nlb, func(r *align.Request) { r.FromFailure = true }), "detect=0s: is needed to count it from the failure"},
		{with(nlb, func(r *align.Request) { r.Detect = time.Hour; r.NoUserTimeout = true }), "needs a user timeout"},
		{own(-1), "timeout of box=-1ns: 0 (not known) to"},
		{request(t, "aws-transit-gateway", "linkerd"), "the timeout of aws-transit-gateway, linkerd is unknown"},
	} {
		_, err := tt.request.Plan()
		assert.ErrorContains(t, err, tt.want)
		_, err = tt.request.Assess(settings(60, 10, 3, 0))
		assert.ErrorContains(t, err, tt.want)
	}
	_, err := request(t, "linkerd").Plan()
	assert.ErrorIs(t, err, sockopt.ErrUnknown)
}

func TestAssess(t *testing.T) {
	t.Parallel()
	on := settings(60, 10, 3, 0)
	off := on
	off.Enabled = false
	blind := on
	blind.Known = 0
	noIdle := on
	noIdle.Known &^= kernel.SetOf(platform.Idle)
	nlb := request(t, "aws-nlb-tcp")
	for _, tt := range []struct {
		rule     string
		request  align.Request
		settings platform.Settings
		verdict  align.Verdict
		lost     int
		reason   string
	}{
		{"in time", nlb, on, align.Survives, 2, "refreshed after 86.5s at the latest, with 2 probes lost; aws-nlb-tcp forgets it after 350s"},
		{"Go's defaults", nlb, settings(15, 15, 9, 0), align.Survives, 8, "aws-nlb-tcp forgets it after 350s"},
		{"Linux' defaults", nlb, settings(7200, 75, 9, 0), align.Loses, -1, "the first probe comes up to 8074s after"},
		{"idle = timeout", nlb, settings(350, 15, 9, 0), align.Loses, -1, "aws-nlb-tcp forgets it after 350s"},
		{"interval too long", nlb, settings(2, 400, 9, 0), align.Loses, -1, "the first probe comes up to 4"},
		{"one lost probe too many", nlb, settings(300, 15, 9, 0), align.Loses, 1, "with 2 probes lost the next one comes up to"},
		{"the count is too small", nlb, settings(60, 10, 1, 0), align.Loses, 0, "with 1 probe lost, the count of 1 ends the connection itself"},
		{"the user timeout is too short", nlb, settings(60, 10, 9, seconds(75)), align.Loses, 0, "with 1 probe lost, the user timeout of 75s ends the connection itself"},
		{"a user timeout replaces the count", nlb, settings(60, 10, 1, seconds(120)), align.Survives, 5, ""},
		{"off", nlb, off, align.Loses, -1, "keepalive is off: no probe is sent, and aws-nlb-tcp forgets it after 350s"},
		{"nothing known", nlb, blind, align.Unknown, -1, "whether keepalive is on is unknown"},
		{"idle unknown", nlb, noIdle, align.Unknown, -1, "idle is unknown"},
		{"a middlebox nobody knows", request(t, "aws-nlb-tcp", "aws-transit-gateway"), on, align.Unknown, 2, "the timeout of aws-transit-gateway is not known"},
		{"nobody knows whether probes count", request(t, "f5-bigip"), on, align.SurvivesIf, 2, "a probe refreshes f5-bigip (not known); then it is refreshed after 86.5s at the latest"},
		{"nobody verified that probes count", request(t, "aws-vpc-endpoint"), on, align.SurvivesIf, 2, "a probe refreshes aws-vpc-endpoint (inferred); then it is refreshed after"},
		{"which is assumed", assume(request(t, "f5-bigip", "aws-vpc-endpoint")), on, align.Survives, 2, "f5-bigip forgets it after 300s"},
		{"an assumption does not make a proxy count probes", assume(request(t, "aws-alb")), on, align.NeedsHeartbeat, -1, "aws-alb does not count TCP keepalive probes"},
		{"nobody verified the timeout", assume(align.Request{Path: []align.Profile{{ID: "box", Timeout: seconds(300), TimeoutEvidence: "from memory", Refreshed: platform.Yes}}}), on, align.SurvivesIf, 2, "the timeout of box is 300s (from memory); then it is refreshed"},
		{"a proxy", request(t, "aws-alb"), on, align.NeedsHeartbeat, -1, "aws-alb does not count TCP keepalive probes"},
		{"a margin", with(nlb, func(r *align.Request) { r.Margin = seconds(290) }), on, align.Loses, -1, "less a margin of 290s"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			a, err := tt.request.Assess(tt.settings)
			require.NoError(t, err)
			assert.Equal(t, tt.verdict, a.Verdict, a.Reason)
			assert.Equal(t, tt.lost, a.LostProbes)
			assert.Contains(t, a.Reason, tt.reason)
			assert.Equal(t, tt.settings, a.Settings)
		})
	}
	a, err := nlb.Assess(on)
	require.NoError(t, err)
	assert.InDelta(t, 60, a.ProbesPerHour, 0.01)
	assert.Equal(t, 350*time.Second-a.LatestRefresh, a.Margin)
	assert.Less(t, a.Period, a.LatestRefresh)
}

func TestWarningsAndAssumptions(t *testing.T) {
	t.Parallel()
	ids := []string{"aws-nlb-tls", "aws-vpc-endpoint", "android-eas-mobile", "linkerd"}
	p := mustPlan(t, request(t, ids...))
	warnings := strings.Join(append(p.Warnings, mustPlan(t, request(t, "aws-nlb-tcp", "aws-alb-client-keepalive", "azure-appservice-linux")).Warnings...), "\n")
	for _, want := range []string{
		"aws-alb-client-keepalive ends every connection at the age of 3600s",
		"azure-appservice-linux limits a request to 240s",
		"aws-nlb-tls and linkerd have a TCP connection of their own across aws-vpc-endpoint, android-eas-mobile: what is set at the client does not reach it",
		"linkerd and server have a TCP connection of their own: what is set at the client does not reach it",
		"android-eas-mobile is no middlebox",
	} {
		assert.Contains(t, warnings, want)
	}
	assert.NotContains(t, p.Assumptions, "aws-vpc-endpoint: whether a probe refreshes it: yes (inferred)", "of another leg")
	p = mustPlan(t, request(t, "aws-vpc-endpoint", "aws-nat-gateway"))
	assert.Contains(t, p.Assumptions, "aws-vpc-endpoint: whether a probe refreshes it: yes (inferred)")
	_, err := with(request(t, ids...), func(r *align.Request) { r.Server = true }).Plan()
	assert.ErrorContains(t, err, "the timeout of linkerd is unknown", "which is on the leg of the server")
	given, err := lookup(t, "gcp-cloud-nat").WithTimeout(seconds(600))
	require.NoError(t, err)
	a := mustPlan(t, align.Request{Path: []align.Profile{given}}).Assumptions
	assert.Equal(t, []string{"gcp-cloud-nat: whether a probe refreshes it: yes (inferred)"}, a, "what the user says needs no mark")
}

// TestAssessConfig: what the Config leaves alone is the system's default.
func TestAssessConfig(t *testing.T) {
	t.Parallel()
	r := own(seconds(350))
	a, err := r.AssessConfig(sockopt.Config{Idle: seconds(60)}, settings(7200, 75, 9, 0))
	require.NoError(t, err)
	assert.Equal(t, settings(60, 75, 9, 0), a.Settings)
	assert.Equal(t, align.Survives, a.Verdict)
	a, err = r.AssessConfig(sockopt.Config{Idle: seconds(60)}, platform.Settings{})
	require.NoError(t, err)
	assert.Equal(t, align.Unknown, a.Verdict, "the defaults are not known")
	_, err = r.AssessConfig(sockopt.Config{Count: 128}, platform.Settings{})
	assert.ErrorContains(t, err, "count=128 is too large")
	_, err = align.Request{}.AssessConfig(sockopt.Config{}, platform.Settings{})
	assert.ErrorContains(t, err, "name at least one middlebox")
}
