package align

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/enum"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Verdict says whether a silent connection stays alive.
type Verdict uint8

const (
	// Unknown means that a setting or a fact about the path that decides is not known.
	Unknown Verdict = iota
	// Survives means that a probe comes in time, however late the timers are and even
	// if as many probes are lost as the request says.
	Survives
	// Loses means that a probe can come too late, or that none is sent.
	Loses
	// SurvivesIf means that the connection survives if the Assumptions of the Assessment
	// are true, which nobody has verified.
	SurvivesIf
	// NeedsHeartbeat means that a middlebox on the path ignores probes. The Heartbeat
	// of the Assessment says what to do.
	NeedsHeartbeat
)

// String returns "unknown", "survives", "loses", "survives if" or "needs a heartbeat".
func (v Verdict) String() string {
	return enum.Name("Verdict", v, "unknown", "survives", "loses", "survives if", "needs a heartbeat")
}

// An Assessment says what happens to a silent connection on a path.
type Assessment struct {
	Settings platform.Settings
	Verdict  Verdict
	// Reason explains the verdict in a sentence.
	Reason string

	// Tightest is the middlebox with the shortest timeout among those that probes
	// refresh. Its ID is "" if there is none.
	Tightest Profile
	// Period is the longest silence if no probe is lost.
	Period time.Duration
	// LatestRefresh is the longest silence if as many probes are lost in a row as the
	// request says. It includes late timers and a round trip.
	LatestRefresh time.Duration
	// Margin is the timeout of Tightest less LatestRefresh. It is negative if the
	// refresh comes too late.
	Margin time.Duration
	// LostProbes is how many probes may be lost in a row. It is -1 if the connection is
	// lost although every probe arrives.
	LostProbes int
	// ProbesPerHour is how many probes a silent connection sends, if each is answered.
	ProbesPerHour float64

	// Detection says how long the death of the peer may go unnoticed. It has no times
	// if a setting that they depend on is not known.
	Detection Detection

	// Heartbeat says what the application has to do. It is nil if probes are enough.
	Heartbeat *Heartbeat

	// Warnings says what else a user has to know about this path and these settings.
	Warnings []string
	// Assumptions lists the facts that the verdict rests on and that nobody has
	// verified.
	Assumptions []string
}

// String returns the verdict and its reason: "loses: keepalive is off".
func (a Assessment) String() string { return a.Verdict.String() + ": " + a.Reason }

// Assess says whether a connection with these settings, as [sockopt.Get] reads them,
// survives the path of the request, and how long the death of its peer may go
// unnoticed.
//
// It returns the errors of [Request.Validate]. If a duration of the settings is negative or
// longer than a year, which no Linux takes, the error wraps a [*ValueError]. If no idle timeout on the path is known,
// the error wraps [sockopt.ErrUnknown]; set one with [Profile.WithTimeout]. If the path
// is empty, the error wraps a [*ValueError]. A path on which nothing is known to end a
// silent connection is no error: the verdict is [Unknown].
func (r Request) Assess(s platform.Settings) (*Assessment, error) {
	if err := cmp.Or(r.validate(), errSettings(s), r.errNothing()); err != nil {
		return nil, named(err)
	}
	return r.assess(s), nil
}

// errSettings refuses durations whose sums, with as many lost probes as are possible, would
// overflow: such a connection would seem to be refreshed in time.
func errSettings(s platform.Settings) error {
	const longest = 365 * 24 * time.Hour
	for _, o := range []platform.Option{platform.Idle, platform.Interval, platform.UserTimeout} {
		if value, known := s.Lookup(o); known && (value < 0 || value > int64(longest)) {
			return &ValueError{o.String(), o.Format(value), "0 to " + duration.Seconds(longest) + " in settings to assess"}
		}
	}
	return nil
}

// AssessConfig assesses a Linux connection that gets this Config, as [Request.Assess]
// does. The options that the Config leaves alone have their values in defaults, which
// are the settings of a socket on which nobody has set anything.
//
// If Linux does not take the Config, the error wraps the same as that of
// [sockopt.Config.ValidateFor].
func (r Request) AssessConfig(cfg sockopt.Config, defaults platform.Settings) (*Assessment, error) {
	if err := kernel.Linux().Check(kernel.Request(cfg)).Err(); err != nil {
		return nil, named(err)
	}
	return r.Assess(kernel.Linux().Effect(kernel.Request(cfg), defaults))
}

func (r Request) assess(s platform.Settings) *Assessment {
	parts := r.parts()
	a := &Assessment{Settings: s, LostProbes: -1}
	a.Tightest, _ = tightest(parts.refreshed)
	bounds, err := timing.DetectionBounds(s, r.conditions())
	if err != nil {
		bounds = timing.Detection{}
	}
	a.Detection = detectionOf(bounds)
	if r.probes(s) == nil {
		a.Period = timing.LatestProbe(s, 0, r.HZ) + r.rtt()
		a.LatestRefresh = r.latestRefresh(s, r.lostProbes())
		a.ProbesPerHour = float64(time.Hour) / float64(max(s.Idle, s.Interval))
		if a.Tightest.Timeout > 0 {
			a.Margin = a.Tightest.Timeout - a.LatestRefresh
			a.LostProbes = r.survivable(s, a.Tightest.Timeout)
		}
	}
	a.Verdict, a.Reason = r.verdict(s, parts, a)
	if a.Verdict == NeedsHeartbeat {
		a.Heartbeat = r.heartbeat(parts, a.LostProbes >= r.lostProbes())
	}
	a.Warnings = r.warnings(parts, a.LatestRefresh)
	for _, p := range r.leg() {
		for _, doubt := range p.Doubts() {
			a.Assumptions = append(a.Assumptions, p.label()+": "+doubt)
		}
	}
	for _, p := range r.undescribed() {
		a.Assumptions = append(a.Assumptions, fmt.Sprintf("%s: that it has no timeout on this connection: %s", p.label(), r.otherOnly()))
	}
	return a
}

// probes returns why a socket with these settings sends no probes, nil if it sends
// them.
func (r Request) probes(s platform.Settings) error {
	switch {
	case !s.Known.Has(platform.KeepAlive):
		return fmt.Errorf("whether keepalive is on is %w", sockopt.ErrUnknown)
	case !s.Enabled:
		return fmt.Errorf("keepalive is off: no probe is sent")
	}
	for _, o := range []platform.Option{platform.Idle, platform.Interval, platform.Count, platform.UserTimeout} {
		if !s.Known.Has(o) {
			return fmt.Errorf("%s is %w", o, sockopt.ErrUnknown)
		}
	}
	return nil
}

// latestRefresh returns the longest time between two packets of a silent connection
// that a middlebox sees, if so many probes are lost in a row. The later packet may have
// been on its way back.
func (r Request) latestRefresh(s platform.Settings, lost int) time.Duration {
	return timing.LatestProbe(s, lost, r.HZ) + r.rtt()
}

// survivable returns how many probes may be lost in a row, -1 if the first one already
// comes too late.
func (r Request) survivable(s platform.Settings, timeout time.Duration) int {
	for lost := 0; ; lost++ {
		if lost > maxLostProbes || r.latestRefresh(s, lost) >= timeout-r.Margin || !r.outlives(s, lost) {
			return lost - 1
		}
	}
}

// outlives reports whether the kernel still sends a probe after so many were lost.
func (r Request) outlives(s platform.Settings, lost int) bool {
	if lost == 0 {
		return true
	}
	if s.UserTimeout > 0 { // looked at before a probe is sent
		return r.latestRefresh(s, lost) < s.UserTimeout
	}
	return lost < s.Count
}

func (r Request) verdict(s platform.Settings, parts parts, a *Assessment) (Verdict, string) {
	if len(parts.ignoring) > 0 {
		does := "does"
		if len(parts.ignoring) > 1 {
			does = "do"
		}
		return NeedsHeartbeat, fmt.Sprintf("%s %s not count TCP keepalive probes: only data keeps the connection", ids(parts.ignoring), does)
	}
	if len(parts.refreshed) == 0 && len(parts.unknown) == 0 {
		effect := "these settings only notice dead peers"
		if err := r.probes(s); err != nil {
			effect = err.Error()
		}
		return Unknown, fmt.Sprintf("nothing on this leg is known to forget it: %s (%s)", effect, r.whyNothing(parts.others))
	}
	if a.Tightest.Timeout == 0 {
		return Unknown, fmt.Sprintf("%s is not known", r.timeoutOf(parts.unknown))
	}
	limit := fmt.Sprintf("%s forgets it after %s", a.Tightest.label(), duration.Seconds(a.Tightest.Timeout))
	if err := r.probes(s); err != nil {
		if !s.Known.Has(platform.KeepAlive) || s.Enabled {
			return Unknown, err.Error()
		}
		return Loses, err.Error() + ", and " + limit
	}
	if a.LostProbes < r.lostProbes() {
		return Loses, r.tooLate(s, a, limit)
	}
	if len(parts.unknown) > 0 {
		return Unknown, fmt.Sprintf("%s is not known; the rest of the path is survived", r.timeoutOf(parts.unknown))
	}
	refreshed := fmt.Sprintf("refreshed after %s at the latest, with %s lost; %s",
		duration.Bound(a.LatestRefresh), probeCount(r.lostProbes()), limit)
	ifs := r.conditionsOf(parts.refreshed)
	for _, p := range r.undescribed() {
		ifs = append(ifs, fmt.Sprintf("%s itself does not end this connection (%s)", p.label(), r.otherOnly()))
	}
	if len(ifs) > 0 {
		return SurvivesIf, strings.Join(ifs, ", and ") + "; then it is " + refreshed
	}
	return Survives, refreshed
}

// conditionsOf returns on what the survival of a connection through these middleboxes
// rests and nobody has verified.
func (r Request) conditionsOf(profiles []Profile) (ifs []string) {
	for _, p := range profiles {
		if !p.TimeoutEvidence.Sure() {
			ifs = append(ifs, fmt.Sprintf("the timeout of %s is %s (%s)", p.label(), duration.Seconds(p.Timeout), p.TimeoutEvidence))
		}
		switch {
		case r.AssumeRefresh:
		case p.Refreshed == platform.Unknown:
			ifs = append(ifs, fmt.Sprintf("a probe refreshes %s (not known)", p.label()))
		case !p.RefreshedEvidence.Sure():
			ifs = append(ifs, fmt.Sprintf("a probe refreshes %s (%s)", p.label(), p.RefreshedEvidence))
		}
	}
	return ifs
}

func (r Request) tooLate(s platform.Settings, a *Assessment, limit string) string {
	left := a.Tightest.Timeout - r.Margin
	margin := ""
	if r.Margin > 0 {
		margin = ", less a margin of " + duration.Seconds(r.Margin)
	}
	if a.LostProbes < 0 {
		return fmt.Sprintf("the first probe comes up to %s after the last segment, %s%s", duration.Bound(a.Period), limit, margin)
	}
	next := a.LostProbes + 1
	if !r.outlives(s, next) && r.latestRefresh(s, next) < left {
		by := fmt.Sprintf("the count of %d", s.Count)
		if s.UserTimeout > 0 {
			by = fmt.Sprintf("the user timeout of %s", duration.Seconds(s.UserTimeout))
		}
		return fmt.Sprintf("with %s lost, %s ends the connection itself", probeCount(next), by)
	}
	return fmt.Sprintf("with %s lost the next one comes up to %s after the last segment, %s%s",
		probeCount(next), duration.Bound(r.latestRefresh(s, next)), limit, margin)
}

func probeCount(n int) string {
	switch n {
	case 0:
		return "no probe"
	case 1:
		return "1 probe"
	}
	return fmt.Sprintf("%d probes", n)
}
