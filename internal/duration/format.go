package duration

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Format formats a duration exactly and briefly, in a form that [Parse] accepts, as a person
// types it: "350s", "4h", "5d", "60.5s".
func Format(d time.Duration) string {
	switch {
	case d >= day && d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d >= 2*time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return Seconds(d)
}

// Seconds formats a duration exactly in decimal seconds, the unit of socket options: "350s",
// "0s"; below one second, as [time.Duration] does.
func Seconds(d time.Duration) string {
	whole, fraction := d/time.Second, (d % time.Second).Abs()
	switch {
	case d != 0 && whole == 0:
		return d.String()
	case fraction == 0:
		return fmt.Sprintf("%ds", whole)
	}
	return fmt.Sprintf("%d.%ss", whole, strings.TrimRight(fmt.Sprintf("%09d", fraction), "0"))
}

// Bound formats the longest time that something takes, in seconds, rounded up to tenths: it
// is short to read, and still a bound.
func Bound(d time.Duration) string { return Seconds(Up(d, time.Second/10)) }

// Passing formats a time that passes, or was measured, with useful precision: tenths below
// ten seconds, "9.4s", and whole seconds above, "1h59m50s".
func Passing(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(time.Second / 10).String()
	}
	return d.Round(time.Second).String()
}

// Up rounds a duration up to a multiple of step. As [time.Duration.Round] does, it returns
// the longest duration, which sums that overflow stop at, if there is no such multiple.
func Up(d, step time.Duration) time.Duration {
	rest := d % step
	switch {
	case rest <= 0:
		return d
	case d > math.MaxInt64-(step-rest):
		return math.MaxInt64
	}
	return d + step - rest
}
