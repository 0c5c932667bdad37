package sockopt

import (
	"fmt"

	"github.com/tcpkeepalive/keepalive/platform"
)

// A Warning is something that a kernel accepts and that is probably not meant.
type Warning struct {
	Option platform.Option // the field to look at
	Text   string
}

// String returns "user-timeout: ...".
func (w Warning) String() string { return w.Option.String() + ": " + w.Text }

// Warnings returns what is legal and probably wrong about c on this operating
// system. What c leaves unset counts as the system's default; a comparison with
// an unknown default is left out.
func (c Config) Warnings() []Warning {
	defaults, _ := platform.SystemDefaults() // unknown defaults are not compared with
	return c.WarningsFor(platform.Current(), defaults)
}

// WarningsFor is [Config.Warnings] for another operating system, whose defaults
// are given (the zero Settings if they are not known).
func (c Config) WarningsFor(t *platform.Table, defaults Settings) []Warning {
	if c.ValidateFor(t) != nil {
		return nil // errors come first
	}
	s := t.Effect(platform.Request(c), defaults)
	if c.Disabled {
		return c.disabledWarnings(t)
	}
	var ws []Warning
	if known(s, platform.Idle, platform.Interval) && s.Interval > s.Idle {
		ws = append(ws, Warning{platform.Interval, fmt.Sprintf(
			"the interval %v is longer than the idle time %v: a quiet connection is probed every %v, not every %v",
			s.Interval, s.Idle, s.Interval, s.Idle)})
	}
	if t.UserTimeoutReplacesCount && known(s, platform.Idle, platform.Interval, platform.UserTimeout) && s.UserTimeout > 0 {
		ws = append(ws, userTimeoutWarnings(s)...)
	}
	return ws
}

func userTimeoutWarnings(s Settings) []Warning {
	n := probesUntil(s.UserTimeout, s.Idle, s.Interval)
	switch {
	case s.UserTimeout <= s.Idle+s.Interval:
		return []Warning{{platform.UserTimeout, fmt.Sprintf(
			"%v is not longer than idle + interval (%v): one lost probe ends the connection, whatever the count",
			s.UserTimeout, s.Idle+s.Interval)}}
	case !known(s, platform.Count):
	case s.UserTimeout > addMul(s.Idle, int64(s.Count), s.Interval):
		return []Warning{{platform.UserTimeout, fmt.Sprintf(
			"%v is longer than idle + count*interval (%v): it replaces the count, so a dead peer is noticed after %v and %d probes",
			s.UserTimeout, addMul(s.Idle, int64(s.Count), s.Interval), addMul(s.Idle, n, s.Interval), n)}}
	case n < int64(s.Count):
		return []Warning{{platform.UserTimeout, fmt.Sprintf(
			"%v replaces the count: the connection ends after %d unanswered probes, not %d",
			s.UserTimeout, n, s.Count)}}
	}
	return nil
}

func (c Config) disabledWarnings(t *platform.Table) []Warning {
	var ws []Warning
	if c.Idle != 0 || c.Interval != 0 || c.Count != 0 {
		ws = append(ws, Warning{platform.KeepAlive,
			"keepalive is off: idle, interval and count are stored and have no effect"})
	}
	if t.AlwaysProbes != "" {
		ws = append(ws, Warning{platform.KeepAlive, fmt.Sprintf(
			"%s probes all the same while the sysctl %s is 1, its default", t.Title, t.AlwaysProbes)})
	}
	return ws
}

func known(s Settings, options ...platform.Option) bool {
	set := platform.SetOf(options...)
	return s.Known&set == set
}
