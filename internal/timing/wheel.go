package timing

import "time"

// The timers of the Linux kernel wait in the slots of a wheel with several
// levels. The further away a timer is, the wider its slot, and all timers of a
// slot fire when the slot ends: never early, and late by at most the width of
// the slot.
//
// Source: calc_wheel_index in kernel/time/timer.c, since Linux 4.8.
const (
	perLevel = 64 // slots; LVL_SIZE
	shift    = 3  // each level's slots are 8 times as wide as those of the level below; LVL_CLK_SHIFT
)

// HZ is the number of ticks (jiffies) a second, CONFIG_HZ of the kernel.
type HZ int

// The values of HZ that the kernel's configuration offers (kernel/Kconfig.hz).
var common = []HZ{100, 250, 300, 1000}

// Possible returns the values of HZ to calculate with: the given one, or all common ones
// if it is 0.
func Possible(hz int) []HZ {
	if hz != 0 {
		return []HZ{HZ(hz)}
	}
	return common
}

// Slot returns the width of the slot of a timer set for d: the timer fires
// between d and d + Slot(d).
func (hz HZ) Slot(d time.Duration) time.Duration {
	return hz.duration(1 << (shift * level(hz.Jiffies(d))))
}

// Latest returns the time by which a timer set for d has fired, d + Slot(d).
func (hz HZ) Latest(d time.Duration) time.Duration { return d + hz.Slot(d) }

// Jiffies returns d in ticks, rounded up as the kernel does.
func (hz HZ) Jiffies(d time.Duration) int64 {
	whole, rest := int64(d/time.Second), int64(d%time.Second)
	part := rest * int64(hz)
	j := whole*int64(hz) + part/int64(time.Second)
	if part%int64(time.Second) > 0 {
		j++
	}
	return j
}

func (hz HZ) duration(jiffies int64) time.Duration {
	return time.Duration(jiffies) * time.Second / time.Duration(hz)
}

// level returns the level of the wheel for a timer that is j ticks away. Level n
// starts at 63*8^(n-1) ticks; the kernel has 9 levels, or 8 if HZ is at most
// 100. The last one matters for timers of more than 12 days only.
func level(j int64) int {
	n := 0
	for start := int64(perLevel - 1); j >= start && n < 8; start <<= shift {
		n++
	}
	return n
}
