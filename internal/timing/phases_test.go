package timing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
)

func complete(idle, interval float64, count int, userTimeout time.Duration) platform.Settings {
	return platform.Settings{
		Known: kernel.SetOf(kernel.Options()...), Enabled: true,
		Idle: seconds(idle), Interval: seconds(interval), Count: count, UserTimeout: userTimeout,
	}
}

// TestDetectionBoundsHold: the shortest and longest times of a dozen real
// connections each that Linux 6.18 (HZ=250, round trip 0.1 ms) took to give a dead
// peer up, in seconds.
func TestDetectionBoundsHold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		settings    platform.Settings
		phase       timing.Phase
		first, last float64
	}{
		{complete(15, 15, 9, 0), timing.PhaseIdle, 150, 151.1},
		{complete(2, 1, 3, 0), timing.PhaseIdle, 5, 5.10},
		{complete(2, 1, 3, seconds(5)), timing.PhaseIdle, 5, 5.08},
		{complete(2, 1, 3, seconds(1)), timing.PhaseIdle, 3, 3.03},
		{complete(2, 1, 3, seconds(10)), timing.PhaseIdle, 10, 10.20},
		{complete(2, 1, 3, 0), timing.PhaseInFlight, 937.7, 939.7},
		{complete(2, 1, 3, seconds(5)), timing.PhaseInFlight, 5.48, 5.51},
		{complete(2, 1, 3, seconds(1)), timing.PhaseInFlight, 1.49, 1.52},
		{complete(2, 1, 3, seconds(10)), timing.PhaseInFlight, 10.47, 10.76},
		{complete(15, 15, 9, 0), timing.PhaseLateWrite, 1089.2, 1089.2},
		{complete(2, 1, 3, 0), timing.PhaseLateWrite, 943.8, 943.8},
		{complete(2, 1, 3, seconds(5)), timing.PhaseLateWrite, 10.11, 10.40},
		{complete(2, 1, 3, seconds(1)), timing.PhaseLateWrite, 4.10, 4.40},
		{complete(2, 1, 3, seconds(10)), timing.PhaseLateWrite, 20.27, 20.54},
		{complete(2, 1, 3, seconds(5)), timing.PhaseZeroWindow, 3.88, 5.38},
		{complete(2, 1, 3, seconds(10)), timing.PhaseZeroWindow, 9.11, 10.62},
		{complete(5, 1, 3, seconds(8)), timing.PhaseIdle, 8, 8.27},
		{complete(1, 1, 1, 282*time.Millisecond), timing.PhaseIdle, 2, 2.05},
	} {
		d, err := timing.DetectionBounds(tt.settings, timing.Conditions{RTT: time.Millisecond, HZ: 250})
		require.NoError(t, err)
		b := d[tt.phase]
		name := tt.settings.String() + ", " + tt.phase.String()
		require.True(t, b.Promised(), name)
		assert.LessOrEqual(t, b.Earliest.Seconds(), tt.first, name)
		assert.GreaterOrEqual(t, b.Latest.Seconds(), tt.last, name)
		if tt.phase == timing.PhaseIdle || tt.phase == timing.PhaseInFlight && tt.settings.UserTimeout > 0 {
			assert.Less(t, b.Latest.Seconds(), tt.last*1.125+0.3, "%s: no wider than it has to be", name)
		}
	}
}

func TestDetectionBoundsWithoutPromise(t *testing.T) {
	t.Parallel()
	off := complete(2, 1, 3, 0)
	off.Enabled = false
	d, err := timing.DetectionBounds(off, timing.Conditions{})
	require.NoError(t, err)
	for _, p := range []timing.Phase{timing.PhaseIdle, timing.PhaseLateWrite} {
		assert.False(t, d[p].Promised(), "%s", p)
		assert.NotEmpty(t, d[p].Note, "%s", p)
	}
	assert.True(t, d[timing.PhaseInFlight].Promised())

	d, err = timing.DetectionBounds(complete(2, 1, 3, seconds(5)), timing.Conditions{UserTimeoutBeforeConnect: true})
	require.NoError(t, err)
	assert.Equal(t, seconds(5), d[timing.PhaseConnect].Earliest)
	assert.GreaterOrEqual(t, d[timing.PhaseConnect].Latest, 5100*time.Millisecond)

	for _, o := range kernel.Options() {
		s := complete(2, 1, 3, 0)
		s.Known &^= kernel.SetOf(o)
		_, err := timing.DetectionBounds(s, timing.Conditions{})
		assert.ErrorIs(t, err, timing.ErrUnknown, "%s", o)
	}
	for _, c := range []timing.Conditions{{RTT: -1}, {RTT: time.Hour}, {HZ: 23}, {HZ: 1201}, {HZ: -1}} {
		_, err := timing.DetectionBounds(complete(2, 1, 3, 0), c)
		assert.ErrorContains(t, err, "out of range", "%+v", c)
	}
}

// What was measured on Linux 6.18 where the machine has other limits than by
// default, in seconds.
func TestDetectionBoundsOfOtherMachines(t *testing.T) {
	t.Parallel()
	with := func(change func(*kernel.Retries)) kernel.Retries {
		r := kernel.DefaultRetries()
		change(&r)
		return r
	}
	for _, tt := range []struct {
		retries     kernel.Retries
		phase       timing.Phase
		first, last float64
	}{
		{with(func(r *kernel.Retries) { r.Data = 5 }), timing.PhaseInFlight, 13.4, 13.4},
		{with(func(r *kernel.Retries) { r.LongestRTO = time.Second }), timing.PhaseInFlight, 15.0, 15.09},
		{with(func(r *kernel.Retries) { r.LongestRTO = time.Second }), timing.PhaseLateWrite, 19.67, 19.96},
		{with(func(r *kernel.Retries) { r.LongestRTO = time.Second }), timing.PhaseZeroWindow, 14.39, 15.63},
		{with(func(r *kernel.Retries) { r.LongestRTO = time.Second }), timing.PhaseConnect, 7.15, 7.15},
		{kernel.DefaultRetries(), timing.PhaseConnect, 133.5, 133.5},
		{kernel.DefaultRetries(), timing.PhaseZeroWindow, 825, 1100},
	} {
		d, err := timing.DetectionBounds(complete(2, 1, 3, 0), timing.Conditions{RTT: time.Millisecond, HZ: 250, Retries: tt.retries})
		require.NoError(t, err)
		b := d[tt.phase]
		assert.LessOrEqual(t, b.Earliest.Seconds(), tt.first, "%s %+v", tt.phase, tt.retries)
		assert.GreaterOrEqual(t, b.Latest.Seconds(), tt.last, "%s %+v", tt.phase, tt.retries)
		if tt.phase == timing.PhaseInFlight || tt.phase == timing.PhaseConnect {
			assert.Less(t, b.Latest.Seconds(), tt.last*2.1, "%s %+v: one retransmission more", tt.phase, tt.retries)
			assert.Greater(t, b.Earliest.Seconds(), tt.first*0.9, "%s %+v: no wider than it has to be", tt.phase, tt.retries)
		}
	}
	_, err := timing.DetectionBounds(complete(2, 1, 3, 0), timing.Conditions{Retries: kernel.Retries{Data: 15}})
	assert.ErrorContains(t, err, "Retries.SYN=0 is out of range: 1 to 127")
}

// The longest user timeout for a time is one with which the bound keeps it.
func TestLongestUserTimeout(t *testing.T) {
	t.Parallel()
	for _, c := range []timing.Conditions{{}, {RTT: time.Millisecond}, {RTT: seconds(1)}} {
		for _, within := range []time.Duration{seconds(8), seconds(10), seconds(350), 24 * time.Hour} {
			ut := timing.LongestUserTimeout(within, c)
			d, err := timing.DetectionBounds(complete(2, 1, 3, ut), c)
			require.NoError(t, err)
			assert.LessOrEqual(t, d[timing.PhaseInFlight].Latest, within)
			assert.InDelta(t, within.Seconds(), d[timing.PhaseInFlight].Latest.Seconds(), 0.001)
		}
	}
	assert.LessOrEqual(t, timing.LongestUserTimeout(0, timing.Conditions{}), time.Duration(0))
}

func TestPhaseNames(t *testing.T) {
	t.Parallel()
	for i := range len(timing.Detection{}) {
		p := timing.Phase(i)
		assert.NotContains(t, p.String(), "Phase")
		assert.NotEqual(t, "unknown", p.Since())
	}
	assert.Equal(t, "Phase(9)", timing.Phase(9).String())
	assert.Equal(t, "unknown", timing.Phase(9).Since())
}
