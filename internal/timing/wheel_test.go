package timing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/timing"
)

// The widths measured with HZ=250 on Linux 6.18, and those of other HZ from the
// kernel's own table of levels (the comment at the top of kernel/time/timer.c).
func TestSlot(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, tt := range []struct {
		hz   timing.HZ
		set  time.Duration
		slot time.Duration
	}{
		{250, 0, 4 * ms},
		{250, 248 * ms, 4 * ms},
		{250, 252 * ms, 32 * ms},
		{250, 2 * time.Second, 32 * ms},
		{250, 2016 * ms, 256 * ms},
		{250, 16 * time.Second, 256 * ms},
		{250, 17 * time.Second, 2048 * ms},
		{250, 129 * time.Second, 2048 * ms},
		{250, 130 * time.Second, 16384 * ms},
		{250, 1032 * time.Second, 16384 * ms},
		{250, 1033 * time.Second, 131072 * ms},
		{1000, 62 * ms, 1 * ms},
		{1000, 63 * ms, 8 * ms},
		{1000, 4031 * ms, 64 * ms},
		{1000, 258 * time.Second, 4096 * ms},
		{1000, 259 * time.Second, 32768 * ms},
		{100, 322 * time.Second, 5120 * ms},
		{100, 323 * time.Second, 40960 * ms},
		{300, 107 * time.Second, 512 * time.Second / 300},
		{300, 108 * time.Second, 4096 * time.Second / 300},
	} {
		assert.Equal(t, tt.slot, tt.hz.Slot(tt.set), "HZ=%d %s", tt.hz, tt.set)
		assert.Equal(t, tt.set+tt.slot, tt.hz.Latest(tt.set))
	}
}

// A slot is at most 8/63 of the time, as soon as that is not a few ticks.
func TestSlotIsAtMostAnEighth(t *testing.T) {
	t.Parallel()
	for _, hz := range timing.Possible(0) {
		for d := time.Second; d < 40000*time.Second; d += 777 * time.Millisecond {
			assert.LessOrEqual(t, float64(hz.Slot(d)), float64(d)*8/63, "HZ=%d %s", hz, d)
		}
	}
	assert.Equal(t, []timing.HZ{24}, timing.Possible(24))
}

func TestJiffiesRoundUp(t *testing.T) {
	t.Parallel()
	assert.EqualValues(t, 250, timing.HZ(250).Jiffies(time.Second))
	assert.EqualValues(t, 251, timing.HZ(250).Jiffies(time.Second+1))
	assert.EqualValues(t, 1, timing.HZ(100).Jiffies(1))
	assert.EqualValues(t, 1<<20*300, timing.HZ(300).Jiffies(1<<20*time.Second))
}
