package conffile

import (
	"fmt"
	"slices"
	"strings"
	"time"

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

// check finds numbers in a wrong unit and numbers that the kernel refuses. It deletes the
// latter from the leg, and times that have no effect, so that whoever looks for those calls
// offMistakes first.
func (l *leg) check(meant times) {
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
		if unit != "" && o == platform.UserTimeout {
			unit = tooFewMilliseconds(v.n, v.text) + meant.userTimeoutFor(v.n)
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

// meant are the times of keepalive with those in seconds that are probably in a wrong unit.
func (l *leg) meant() (m times) {
	for o, to := range map[platform.Option]*time.Duration{platform.Idle: &m.idle, platform.Interval: &m.interval} {
		if v, set := l.values[o]; set && !v.unknown {
			n := v.n
			if v.bare && wrongUnit(o, n, v.text) != "" {
				n = secondsMeant(n)
			}
			*to = time.Duration(inField(o, n))
		}
	}
	if v, set := l.values[platform.Count]; set && !v.unknown {
		m.count = v.n
	}
	return m
}

// userTimeoutMistakes compares the user timeout with the times of keepalive, which it
// cuts short on Linux (tcp_keepalive_timer in net/ipv4/tcp_timer.c).
func (l *leg) userTimeoutMistakes(t times) {
	v, set := l.values[platform.UserTimeout]
	timeout := l.Config.UserTimeout
	if !set || timeout <= 0 || t.idle <= 0 || l.has(Unit, v.Place, v.text) {
		return
	}
	n := timing.ProbesUntil(timeout, t.idle, t.interval)
	text, after := v.text, duration.Seconds(timeout)
	switch {
	case t.interval == 0 && timeout <= t.idle:
		l.remark(v.Place, Cut, "%s: the user timeout of %s is not longer than the idle time of %s: one lost probe ends the connection, whatever the count", text, after, duration.Seconds(t.idle))
	case !t.cutBy(timeout):
		if t.interval > 0 && t.count > 0 && n > t.count {
			l.remark(v.Place, Note, "%s: the user timeout replaces the count: a dead peer is given up after %d unanswered probes, not %d", text, n, t.count)
		}
	case n == 1:
		l.remark(v.Place, Cut, "%s: the user timeout of %s is not longer than idle + interval (%s): one lost probe ends the connection, whatever the count", text, after, duration.Seconds(t.idle+t.interval))
	default:
		l.remark(v.Place, Cut, "%s: the user timeout of %s cuts the count: the connection ends after %d unanswered probes, not %d; idle + count*interval is %s", text, after, n, t.count, duration.Seconds(timing.AddMul(t.idle, t.count, t.interval)))
	}
}

// has reports whether there is such a remark on that text already.
func (l *leg) has(kind Kind, at Place, text string) bool {
	return slices.ContainsFunc(l.Remarks, func(r Remark) bool {
		return r.Kind == kind && r.Place == at && strings.Contains(r.Text, text)
	})
}
