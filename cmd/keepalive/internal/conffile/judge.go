package conffile

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// known returns what a connection of the leg holds, as far as the file decides it: what is
// inherited is not known.
func (l *Leg) known() platform.Settings {
	return kernel.Linux().Effect(kernel.Request(l.Config), platform.Settings{Known: kernel.SetOf(platform.UserTimeout)})
}

// linuxDefaults are those of a kernel on which nobody has changed a sysctl
// (TCP_KEEPALIVE_TIME, _INTVL and _PROBES in include/net/tcp.h).
var linuxDefaults = platform.Settings{
	Known: kernel.SetOf(platform.Idle, platform.Interval, platform.Count, platform.UserTimeout),
	Idle:  2 * time.Hour, Interval: 75 * time.Second, Count: 9,
}

// Assess says whether a silent connection of the leg survives the path of a request, at the
// server's end of it if the leg is there or the request says so, or else at the client's. If
// that depends on what is inherited, the verdict is [align.Unknown], and the reason says
// what the kernel's own defaults lead to. A heartbeat counts: data refreshes everything.
// What the program itself does counts too: see Closes.
// With an Assumption of the leg the verdict is [align.SurvivesIf] at best.
// The errors are those of [align.Request.Assess].
func (l *Leg) Assess(r align.Request) (*align.Assessment, error) {
	r.Server = r.Server || l.Server
	if why := l.elsewhere(r.Path); why != "" {
		return &align.Assessment{Verdict: align.Unknown, Reason: why}, nil
	}
	a, err := l.assess(r)
	if l.Closing.After > 0 && (err == nil || errors.Is(err, sockopt.ErrUnknown)) {
		return l.assessClosing(r, a)
	}
	return a, err
}

// protocols are what programs speak that speak nothing else, as in align.Profile.
var protocols = map[string]string{
	"ssh": "SSH", "sshd": "SSH", "libpq": "SQL", "the server": "SQL", "PostgreSQL": "SQL", "redis-server": "Redis", "OpenVPN": "OpenVPN",
}

// OfProgram names the program, for a leg that no file has: what it speaks may not be what
// something on the path passes.
func (l *Leg) OfProgram(name string) { l.program = name }

// elsewhere says that something on a path does not pass what the program speaks, so that these
// connections cannot cross it; "" if everything does, as far as is known.
func (l *Leg) elsewhere(path []align.Profile) string {
	speaks := protocols[l.program]
	if speaks == "" {
		return ""
	}
	for _, p := range path {
		if p.Protocol != "" && p.Protocol != "stream" && p.Protocol != speaks { // a stream may carry anything
			return fmt.Sprintf("%s passes %s only, which %s does not speak: is this the path?", p.ID, p.Protocol, l.program)
		}
	}
	return ""
}

func (l *Leg) assess(r align.Request) (*align.Assessment, error) {
	a, err := r.Assess(l.known())
	if err != nil {
		return nil, err
	}
	if l.Heartbeat > 0 && a.Verdict != align.Survives { // SurvivesIf may rest on probes
		if err := l.assessHeartbeat(r, a); err != nil {
			return nil, err
		}
	}
	if a.Verdict == align.Unknown && a.Settings.Enabled && !l.complete() {
		usual, err := r.Assess(kernel.Linux().Effect(kernel.Request(l.Config), linuxDefaults))
		if err != nil {
			return nil, err
		}
		a.Reason = fmt.Sprintf("it depends on what is inherited or not known; with Linux's own 7200 s, 75 s and 9: %s: %s", usual.Verdict, usual.Reason)
	}
	if survives := a.Verdict == align.Survives; l.Assumption != "" && (survives || a.Verdict == align.SurvivesIf) {
		then := ", and " // the reason begins with another assumption
		if survives {
			then = "; then it is "
		}
		a.Verdict, a.Reason = align.SurvivesIf, l.Assumption+then+a.Reason
		a.Assumptions = append(a.Assumptions, l.Assumption)
	}
	return a, nil
}

// complete reports whether nothing is inherited.
func (l *Leg) complete() bool {
	return l.Config.Idle > 0 && l.Config.Interval > 0 && l.Config.Count > 0
}

// assessHeartbeat compares the heartbeat with the one that a path needs on which no probe
// helps.
func (l *Leg) assessHeartbeat(r align.Request, a *align.Assessment) error {
	r.Path = slices.Clone(r.Path)
	for i := range r.Path {
		if r.Path[i].LimitsSilence() {
			r.Path[i].Refreshed = platform.No
		}
	}
	needs, err := r.Assess(l.known())
	if err != nil {
		return err
	}
	h := needs.Heartbeat
	switch {
	case h == nil:
	case h.Every == 0:
		a.Verdict, a.Reason = align.Unknown, fmt.Sprintf("whether %s is often enough is not known, as the timeout of %s is not known", l.HeartbeatText, h.Tightest.ID)
	case l.silence <= h.Every:
		a.Verdict, a.Heartbeat, a.Assumptions = align.Survives, nil, nil // whether probes refresh does not matter
		a.Reason = fmt.Sprintf("%s sends data often enough: every %s would do", l.HeartbeatText, duration.Seconds(h.Every))
		for _, p := range r.Path {
			if p.LimitsSilence() && !p.TimeoutEvidence.Sure() {
				a.Verdict = align.SurvivesIf
				a.Assumptions = append(a.Assumptions, fmt.Sprintf("%s: its timeout is %s (%s)", p.ID, duration.Seconds(p.Timeout), p.TimeoutEvidence))
			}
		}
	default:
		a.Reason += fmt.Sprintf("; %s is too seldom: it takes every %s", l.HeartbeatText, duration.Seconds(h.Every))
	}
	return nil
}
