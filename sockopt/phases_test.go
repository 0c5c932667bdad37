package sockopt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func complete(idle, interval float64, count int, userTimeout time.Duration) sockopt.Settings {
	return sockopt.Settings{
		Known: platform.SetOf(platform.Options()...), Enabled: true,
		Idle: seconds(idle), Interval: seconds(interval), Count: count, UserTimeout: userTimeout,
	}
}

// TestDetectionBoundsHold: the shortest and longest times of a dozen real
// connections each that Linux 6.18 (HZ=250, round trip 0.1 ms) took to give a dead
// peer up, in seconds.
func TestDetectionBoundsHold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		settings    sockopt.Settings
		phase       sockopt.Phase
		first, last float64
	}{
		{complete(15, 15, 9, 0), sockopt.PhaseIdle, 150, 151.1},
		{complete(2, 1, 3, 0), sockopt.PhaseIdle, 5, 5.10},
		{complete(2, 1, 3, seconds(5)), sockopt.PhaseIdle, 5, 5.08},
		{complete(2, 1, 3, seconds(1)), sockopt.PhaseIdle, 3, 3.03},
		{complete(2, 1, 3, seconds(10)), sockopt.PhaseIdle, 10, 10.20},
		{complete(2, 1, 3, 0), sockopt.PhaseInFlight, 937.7, 939.7},
		{complete(2, 1, 3, seconds(5)), sockopt.PhaseInFlight, 5.48, 5.51},
		{complete(2, 1, 3, seconds(1)), sockopt.PhaseInFlight, 1.49, 1.52},
		{complete(2, 1, 3, seconds(10)), sockopt.PhaseInFlight, 10.47, 10.76},
		{complete(15, 15, 9, 0), sockopt.PhaseLateWrite, 1089.2, 1089.2},
		{complete(2, 1, 3, 0), sockopt.PhaseLateWrite, 943.8, 943.8},
		{complete(2, 1, 3, seconds(5)), sockopt.PhaseLateWrite, 10.11, 10.40},
		{complete(2, 1, 3, seconds(1)), sockopt.PhaseLateWrite, 4.10, 4.40},
		{complete(2, 1, 3, seconds(10)), sockopt.PhaseLateWrite, 20.27, 20.54},
		{complete(2, 1, 3, seconds(5)), sockopt.PhaseZeroWindow, 3.88, 5.38},
		{complete(2, 1, 3, seconds(10)), sockopt.PhaseZeroWindow, 9.11, 10.62},
		{complete(5, 1, 3, seconds(8)), sockopt.PhaseIdle, 8, 8.27},
		{complete(1, 1, 1, 282*time.Millisecond), sockopt.PhaseIdle, 2, 2.05},
	} {
		d, err := sockopt.DetectionBounds(tt.settings, sockopt.Conditions{RTT: time.Millisecond, HZ: 250})
		require.NoError(t, err)
		b := d[tt.phase]
		name := tt.settings.String() + ", " + tt.phase.String()
		require.True(t, b.Promised(), name)
		assert.LessOrEqual(t, b.Earliest.Seconds(), tt.first, name)
		assert.GreaterOrEqual(t, b.Latest.Seconds(), tt.last, name)
		if tt.phase == sockopt.PhaseIdle || tt.phase == sockopt.PhaseInFlight && tt.settings.UserTimeout > 0 {
			assert.Less(t, b.Latest.Seconds(), tt.last*1.125+0.3, "%s: no wider than it has to be", name)
		}
	}
}

func TestDetectionBoundsWithoutPromise(t *testing.T) {
	t.Parallel()
	off := complete(2, 1, 3, 0)
	off.Enabled = false
	d, err := sockopt.DetectionBounds(off, sockopt.Conditions{})
	require.NoError(t, err)
	for _, p := range []sockopt.Phase{sockopt.PhaseIdle, sockopt.PhaseLateWrite} {
		assert.False(t, d[p].Promised(), "%s", p)
		assert.NotEmpty(t, d[p].Note, "%s", p)
	}
	assert.True(t, d[sockopt.PhaseInFlight].Promised())

	d, err = sockopt.DetectionBounds(complete(2, 1, 3, seconds(5)), sockopt.Conditions{UserTimeoutBeforeConnect: true})
	require.NoError(t, err)
	assert.Equal(t, seconds(5), d[sockopt.PhaseConnect].Earliest)
	assert.GreaterOrEqual(t, d[sockopt.PhaseConnect].Latest, 5100*time.Millisecond)

	for _, o := range platform.Options() {
		s := complete(2, 1, 3, 0)
		s.Known &^= platform.SetOf(o)
		_, err := sockopt.DetectionBounds(s, sockopt.Conditions{})
		assert.ErrorIs(t, err, sockopt.ErrUnknown, "%s", o)
	}
	for _, c := range []sockopt.Conditions{{RTT: -1}, {RTT: time.Hour}, {HZ: 23}, {HZ: 1201}, {HZ: -1}} {
		_, err := sockopt.DetectionBounds(complete(2, 1, 3, 0), c)
		assert.ErrorContains(t, err, "out of range", "%+v", c)
	}
}

// What was measured on Linux 6.18 where the machine has other limits than by
// default, in seconds.
func TestDetectionBoundsOfOtherMachines(t *testing.T) {
	t.Parallel()
	with := func(change func(*platform.Retries)) platform.Retries {
		r := platform.DefaultRetries()
		change(&r)
		return r
	}
	for _, tt := range []struct {
		retries     platform.Retries
		phase       sockopt.Phase
		first, last float64
	}{
		{with(func(r *platform.Retries) { r.Data = 5 }), sockopt.PhaseInFlight, 13.4, 13.4},
		{with(func(r *platform.Retries) { r.LongestRTO = time.Second }), sockopt.PhaseInFlight, 15.0, 15.09},
		{with(func(r *platform.Retries) { r.LongestRTO = time.Second }), sockopt.PhaseLateWrite, 19.67, 19.96},
		{with(func(r *platform.Retries) { r.LongestRTO = time.Second }), sockopt.PhaseZeroWindow, 14.39, 15.63},
		{with(func(r *platform.Retries) { r.LongestRTO = time.Second }), sockopt.PhaseConnect, 7.15, 7.15},
		{platform.DefaultRetries(), sockopt.PhaseConnect, 133.5, 133.5},
		{platform.DefaultRetries(), sockopt.PhaseZeroWindow, 825, 1100},
	} {
		d, err := sockopt.DetectionBounds(complete(2, 1, 3, 0), sockopt.Conditions{RTT: time.Millisecond, HZ: 250, Retries: tt.retries})
		require.NoError(t, err)
		b := d[tt.phase]
		assert.LessOrEqual(t, b.Earliest.Seconds(), tt.first, "%s %+v", tt.phase, tt.retries)
		assert.GreaterOrEqual(t, b.Latest.Seconds(), tt.last, "%s %+v", tt.phase, tt.retries)
		if tt.phase == sockopt.PhaseInFlight || tt.phase == sockopt.PhaseConnect {
			assert.Less(t, b.Latest.Seconds(), tt.last*2.1, "%s %+v: one retransmission more", tt.phase, tt.retries)
			assert.Greater(t, b.Earliest.Seconds(), tt.first*0.9, "%s %+v: no wider than it has to be", tt.phase, tt.retries)
		}
	}
	_, err := sockopt.DetectionBounds(complete(2, 1, 3, 0), sockopt.Conditions{Retries: platform.Retries{Data: 15}})
	assert.ErrorContains(t, err, "Retries.SYN=0 is out of range: 1 to 127")
}

// The longest user timeout for a time is one with which the bound keeps it.
func TestLongestUserTimeout(t *testing.T) {
	t.Parallel()
	for _, c := range []sockopt.Conditions{{}, {RTT: time.Millisecond}, {RTT: seconds(1)}} {
		for _, within := range []time.Duration{seconds(8), seconds(10), seconds(350), 24 * time.Hour} {
			ut := sockopt.LongestUserTimeout(within, c)
			d, err := sockopt.DetectionBounds(complete(2, 1, 3, ut), c)
			require.NoError(t, err)
			assert.LessOrEqual(t, d[sockopt.PhaseInFlight].Latest, within)
			assert.InDelta(t, within.Seconds(), d[sockopt.PhaseInFlight].Latest.Seconds(), 0.001)
		}
	}
	assert.LessOrEqual(t, sockopt.LongestUserTimeout(0, sockopt.Conditions{}), time.Duration(0))
}

func TestPhaseNames(t *testing.T) {
	t.Parallel()
	for i, p := range sockopt.Phases() {
		assert.Equal(t, sockopt.Phase(i), p)
		assert.NotEmpty(t, p.String())
		assert.NotEmpty(t, p.Since())
	}
	assert.Len(t, sockopt.Detection{}, len(sockopt.Phases()))
	assert.Equal(t, "Phase(9)", sockopt.Phase(9).String())
	assert.Equal(t, "unknown", sockopt.Phase(9).Since())
}
