package align

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Request is what a plan has to meet. Only Path or Detect is needed.
type Request struct {
	// Path holds the middleboxes between the client and the server, in this order. Those
	// that end TCP connections split it into legs, see [Request.Legs]: a Config only shapes
	// the leg at its own end, and there the middlebox with the shortest timeout decides.
	Path []Profile

	// Server says that the Config is for the server's end of the path. Without it, it is
	// for the client's.
	Server bool

	// Longest asks for the longest idle time with which a connection survives. Without
	// it, the idle time is at most 60 s, and 5 % of the timeout are kept in reserve if
	// Margin is 0, or less where no Config leaves so much. It changes nothing for
	// [Request.Assess].
	Longest bool

	// LostProbes is how many probes may be lost in a row, at most 126: 0 stands for 2,
	// negative for none.
	LostProbes int

	// Margin is a reserve between the latest refresh and the timeout. What late timers,
	// lost probes and the round trip take is counted without it. 0 or more.
	Margin time.Duration

	// AssumeRefresh takes it for true that probes refresh the middleboxes of which that
	// is not known, or not verified. Without it, a path with such a middlebox at best has
	// the verdict [SurvivesIf].
	AssumeRefresh bool

	// HalfClosed asks about connections that one end has closed for writing. Middleboxes
	// forget these sooner, see the HalfClosed of [Profile]. A plan is then for these and for
	// open ones.
	HalfClosed bool
	alsoOpen   bool

	// RTT is the longest round trip to expect, at most 2 minutes; 0 stands for 100 ms.
	RTT time.Duration

	// HZ is CONFIG_HZ of the kernels that will use the plan, 24 to 1200. It decides how
	// late their timers can be. 0 stands for the worst of 100, 250, 300 and 1000.
	HZ int

	// Detect, if it is not 0, limits how long the death of the peer may go unnoticed:
	// on an idle connection from the last segment received, with data in flight from
	// the write.
	Detect time.Duration
	// FromFailure counts Detect from the death of the peer instead, whatever the
	// program writes after it. A plan then has about half the idle time.
	FromFailure bool

	// Retries are the limits of the kernels on retransmissions. They decide how long a
	// dead peer goes unnoticed where there is no user timeout. nil stands for the defaults
	// of Linux 6.5 and later. An inspect.Report has those of a connection.
	Retries *platform.Retries
	// Multipath says that the connections are of Multipath TCP. They have no user
	// timeout, and their programs learn of the death of a peer only
	// net.mptcp.close_timeout later.
	Multipath bool

	// NoUserTimeout plans without a user timeout. Data in flight to a dead peer is then
	// noticed after about 15 minutes by default, and a live peer that does not read is
	// never given up.
	NoUserTimeout bool
}

const (
	defaultLostProbes = 2
	maxLostProbes     = 126 // TCP_KEEPCNT takes 127
)

// lostProbes returns the number that LostProbes stands for.
func (r Request) lostProbes() int {
	if r.LostProbes == 0 {
		return defaultLostProbes
	}
	return max(r.LostProbes, 0)
}

func (r Request) conditions() timing.Conditions {
	c := timing.Conditions{RTT: r.RTT, HZ: r.HZ, Multipath: r.Multipath}
	if r.Retries != nil {
		c.Retries = kernel.Retries(*r.Retries)
	}
	return c
}

func (r Request) rtt() time.Duration {
	if r.RTT == 0 {
		return timing.DefaultRTT
	}
	return r.RTT
}

// Validate returns an error that names the first field with an impossible value, that
// value, and what the field may have.
func (r Request) Validate() error { return named(r.validate()) }

func (r Request) validate() error {
	if r.LostProbes > maxLostProbes {
		return &ValueError{"lost probes", fmt.Sprint(r.LostProbes), fmt.Sprintf("at most %d", maxLostProbes)}
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{{"margin", r.Margin}, {"detect", r.Detect}} {
		if f.value < 0 || f.value > maxTimeout {
			return &ValueError{f.name, duration.Seconds(f.value), "0 to " + duration.Seconds(maxTimeout)}
		}
	}
	if err := r.conditions().Validate(); err != nil {
		return err
	}
	if r.FromFailure && r.Detect == 0 {
		return &ValueError{"detect", duration.Seconds(r.Detect), "is needed to count it from the failure"}
	}
	if r.NoUserTimeout && r.Detect != 0 {
		return &ValueError{"detect", duration.Seconds(r.Detect), "needs a user timeout: without one, data in flight to a dead peer is noticed after about 15 minutes"}
	}
	for _, p := range r.Path {
		if err := p.validate(); err != nil {
			return err
		}
	}
	return nil
}

// parts are the middleboxes of a leg, by what they do to an idle connection.
type parts struct {
	refreshed []Profile // probes refresh these, or nobody knows that they do not
	ignoring  []Profile // probes do not refresh these
	unknown   []Profile // nobody knows the timeout of these
	others    []Profile // these have no idle timeout
}

func (r Request) parts() parts {
	var s parts
	for _, p := range r.leg() {
		switch {
		case !p.LimitsSilence() || p.Never:
			s.others = append(s.others, p)
		case p.ignoresProbes():
			s.ignoring = append(s.ignoring, p)
		case p.Timeout == 0:
			s.unknown = append(s.unknown, p)
		default:
			s.refreshed = append(s.refreshed, p)
		}
	}
	return s
}

// tightest returns the profile with the shortest known timeout, and whether there
// is one.
func tightest(profiles []Profile) (Profile, bool) {
	known := slices.DeleteFunc(slices.Clone(profiles), func(p Profile) bool { return p.Timeout == 0 })
	if len(known) == 0 {
		return Profile{}, false
	}
	return slices.MinFunc(known, func(a, b Profile) int { return cmp.Compare(a.Timeout, b.Timeout) }), true
}

// errNothing returns why there is nothing that can be said about the path, nil if there is:
// it is empty, or no timeout of it is known.
func (r Request) errNothing() error {
	s := r.parts()
	switch {
	case len(r.Path) == 0:
		return &ValueError{"path", "none", "name at least one middlebox"}
	case len(s.refreshed) == 0 && len(s.ignoring) == 0 && len(s.unknown) > 0:
		return fmt.Errorf("%s is %w", r.timeoutOf(s.unknown), sockopt.ErrUnknown)
	}
	return nil
}

// whyNothing says why nothing on the leg is known to forget a connection.
func (r Request) whyNothing(others []Profile) string {
	switch {
	case len(others) > 0 && others[0].Never:
		return fmt.Sprintf("%s ends no silent connection unless its timeout is set: if yours is, state it as %[1]s=TIME", others[0].label())
	case len(others) > 0:
		return fmt.Sprintf("%s is a %s", others[0].label(), others[0].Kind)
	}
	// What a proxy limits is its other connection.
	return "the timeouts of " + ids(r.Path) + " are those of the " + r.otherSide() + "'s end"
}

func (r Request) timeoutOf(profiles []Profile) string {
	if r.HalfClosed {
		return "the timeout of half-closed connections of " + ids(profiles)
	}
	return "the timeout of " + ids(profiles)
}

func ids(profiles []Profile) string {
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.label()
	}
	return strings.Join(names, ", ")
}
