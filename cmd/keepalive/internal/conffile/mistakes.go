package conffile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
)

// takes reports whether setsockopt takes a number.
func takes(o platform.Option, n int64) bool {
	spec := kernel.Linux().Spec(o)
	return n >= spec.Min && n <= spec.Max || o == platform.UserTimeout && n == 0
}

// check finds numbers in a wrong unit and numbers that the kernel refuses, and leaves the
// latter out.
func (l *leg) check() {
	inert := l.state == off && !l.setsWhenOff // the kernel does not get to see the times
	for _, o := range kernel.Options() {
		v, set := l.values[o]
		if !set || v.unknown {
			continue
		}
		unit := ""
		if v.bare {
			unit = wrongUnit(o, v.n, v.text)
		}
		refused := !l.lenient && !takes(o, v.n)
		if refused || inert && o != platform.UserTimeout {
			delete(l.values, o)
		}
		switch why := fmt.Sprintf("%s takes %s on Linux", kernel.Linux().Spec(o).Symbol, limits(o)); {
		case inert && o != platform.UserTimeout && unit == "":
		case unit != "" && refused && !inert:
			l.remark(v.Place, Unit, "%s; %s: %s", unit, why, l.refusal)
		case unit != "":
			l.remark(v.Place, Unit, "%s", unit)
		case refused:
			l.remark(v.Place, Refused, "%s: %s: %s", v.text, why, l.refusal)
		}
	}
}

// limits are those of setsockopt.
func limits(o platform.Option) string {
	spec := kernel.Linux().Spec(o)
	return o.Format(inField(o, spec.Min)) + " to " + o.Format(inField(o, spec.Max))
}

// offMistakes are times that have no effect.
func (l *leg) offMistakes() {
	var texts []string
	var at Place
	for _, o := range []platform.Option{platform.Idle, platform.Interval, platform.Count} {
		if v, set := l.values[o]; set {
			if at.Line == 0 {
				at = v.Place
			}
			if !slices.Contains(texts, v.text) {
				texts = append(texts, v.text)
			}
		}
	}
	if len(texts) == 0 {
		return
	}
	why := l.offWhy
	if l.stateAt.Line > 0 {
		why = l.stateAt.text + " switches it off"
	}
	l.remark(at, Off, "%s: no effect, because keepalive is off: %s", strings.Join(texts, ", "), why)
}

// userTimeoutMistakes compares the user timeout with the times of keepalive, which it
// cuts short on Linux (tcp_keepalive_timer in net/ipv4/tcp_timer.c).
func (l *leg) userTimeoutMistakes() {
	v, set := l.values[platform.UserTimeout]
	c := l.Config
	if !set || c.UserTimeout <= 0 || c.Idle == 0 || l.has(Unit, v.Place, v.text) {
		return
	}
	timeout := duration.Seconds(c.UserTimeout)
	if c.Interval == 0 {
		if c.UserTimeout <= c.Idle {
			l.remark(v.Place, Cut, "%s: the user timeout of %s is not longer than the idle time of %s: one lost probe ends the connection, whatever the count", v.text, timeout, duration.Seconds(c.Idle))
		}
		return
	}
	n := timing.ProbesUntil(c.UserTimeout, c.Idle, c.Interval)
	switch {
	case c.Count > 0 && n == int64(c.Count):
	case n == 1:
		l.remark(v.Place, Cut, "%s: the user timeout of %s is not longer than idle + interval (%s): one lost probe ends the connection, whatever the count", v.text, timeout, duration.Seconds(c.Idle+c.Interval))
	case c.Count == 0:
	case n < int64(c.Count):
		l.remark(v.Place, Cut, "%s: the user timeout of %s cuts the count: the connection ends after %d unanswered probes, not %d; idle + count*interval is %s", v.text, timeout, n, c.Count, duration.Seconds(timing.AddMul(c.Idle, int64(c.Count), c.Interval)))
	default:
		l.remark(v.Place, Note, "%s: the user timeout replaces the count: a dead peer is given up after %d unanswered probes, not %d", v.text, n, c.Count)
	}
}

// has reports whether there is such a remark on that text already.
func (l *leg) has(kind Kind, at Place, text string) bool {
	return slices.ContainsFunc(l.Remarks, func(r Remark) bool {
		return r.Kind == kind && r.Place == at && strings.Contains(r.Text, text)
	})
}
