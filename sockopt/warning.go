package sockopt

import (
	"fmt"
	"slices"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A Warning is about a setting that the kernel accepts and that is probably a
// mistake.
type Warning struct {
	Option platform.Option // the field to look at
	Text   string
}

// String returns "user-timeout: ...".
func (w Warning) String() string { return w.Option.String() + ": " + w.Text }

// Warnings returns what is valid but probably wrong about c on this operating system, and
// which values are rounded up. Fields that c leaves unset count as the system's default;
// comparisons with an unknown default are omitted. An invalid Config has no warnings, see
// [Config.Validate].
func (c Config) Warnings() []Warning {
	defaults, _ := kernel.SystemDefaults() // unknown defaults are not compared
	return c.warnings(kernel.Limits(), defaults)
}

// WarningsFor is [Config.Warnings] for another operating system and its defaults
// (the zero Settings if they are not known). It panics if t is nil.
func (c Config) WarningsFor(t *platform.Table, defaults platform.Settings) []Warning {
	if t == nil {
		panic(named(errNilTable))
	}
	return c.warnings(kernel.RulesOf(t), defaults)
}

func (c Config) warnings(t *kernel.Rules, defaults platform.Settings) []Warning {
	if len(t.Check(kernel.Request(c))) > 0 {
		return nil // errors come first
	}
	s := t.Effect(kernel.Request(c), defaults)
	ws := c.roundingWarnings(t, s)
	if c.Disabled {
		return append(ws, c.disabledWarnings(t)...)
	}
	if known(s, platform.Idle, platform.Interval) && s.Interval > s.Idle {
		ws = append(ws, Warning{platform.Interval, fmt.Sprintf(
			"the interval %[1]s is longer than the idle time %[2]s: a quiet connection is probed every %[1]s, not every %[2]s",
			duration.Seconds(s.Interval), duration.Seconds(s.Idle))})
	}
	if t.UserTimeoutReplacesCount && known(s, platform.Idle, platform.Interval, platform.UserTimeout) && s.UserTimeout > 0 {
		ws = append(ws, userTimeoutWarnings(s)...)
	}
	return ws
}

// roundingWarnings warns of each value that the kernel rounds up.
func (c Config) roundingWarnings(t *kernel.Rules, s platform.Settings) []Warning {
	var ws []Warning
	for o, asked := range map[platform.Option]time.Duration{
		platform.Idle: c.Idle, platform.Interval: c.Interval, platform.UserTimeout: c.UserTimeout,
	} {
		if holds, _ := s.Lookup(o); asked > 0 && holds != int64(asked) {
			spec := t.Spec(o)
			ws = append(ws, Warning{o, fmt.Sprintf("%s is rounded up to %s: %s counts in steps of %s",
				duration.Seconds(asked), duration.Seconds(time.Duration(holds)), spec.Symbol, duration.Seconds(spec.Unit))})
		}
	}
	slices.SortFunc(ws, func(a, b Warning) int { return int(a.Option) - int(b.Option) })
	return ws
}

func userTimeoutWarnings(s platform.Settings) []Warning {
	n := timing.ProbesUntil(s.UserTimeout, s.Idle, s.Interval)
	switch {
	case known(s, platform.Count) && n == int64(s.Count):
	case n == 1:
		return []Warning{{platform.UserTimeout, fmt.Sprintf(
			"%s is not longer than idle + interval (%s): one lost probe ends the connection, whatever the count",
			duration.Seconds(s.UserTimeout), duration.Seconds(s.Idle+s.Interval))}}
	case !known(s, platform.Count):
	case n > int64(s.Count):
		return []Warning{{platform.UserTimeout, fmt.Sprintf(
			"%s is longer than idle + count*interval (%s): it replaces the count, so a dead peer is noticed after %s and %d probes",
			duration.Seconds(s.UserTimeout), duration.Seconds(timing.AddMul(s.Idle, int64(s.Count), s.Interval)), duration.Seconds(timing.AddMul(s.Idle, n, s.Interval)), n)}}
	default:
		return []Warning{{platform.UserTimeout, fmt.Sprintf(
			"%s replaces the count: the connection ends after %d unanswered probes, not %d",
			duration.Seconds(s.UserTimeout), n, s.Count)}}
	}
	return nil
}

func (c Config) disabledWarnings(t *kernel.Rules) []Warning {
	var ws []Warning
	if c.Idle != 0 || c.Interval != 0 || c.Count != 0 {
		ws = append(ws, Warning{platform.KeepAlive,
			"keepalive is off: idle, interval and count are stored and have no effect"})
	}
	if t.AlwaysProbes != "" {
		ws = append(ws, Warning{platform.KeepAlive, fmt.Sprintf(
			"%s still sends probes while the sysctl %s is 1", t.Title, t.AlwaysProbes)})
	}
	return ws
}

func known(s platform.Settings, options ...platform.Option) bool {
	set := kernel.SetOf(options...)
	return s.Known&set == set
}
