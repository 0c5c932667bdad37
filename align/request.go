package align

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
)

// ErrUnknown means that the timeout of no middlebox on the path is known; see
// [Profile.WithTimeout].
var ErrUnknown = errors.New("unknown")

// A Request is what a plan has to meet. Only Path or Detect is needed.
type Request struct {
	// Path is what the connection crosses, from the client to the server; the
	// tightest decides.
	Path []Profile

	// LostProbes is how many probes may be lost in a row: 0 stands for 2,
	// [NoLostProbes] for none; at most 126.
	LostProbes int

	// Margin is kept between the latest refresh and the timeout, beside what the
	// kernel's timers, lost probes and the round trip take. 0 or more.
	Margin time.Duration

	// RTT is the longest round trip to expect; 0 stands for
	// 100 ms.
	RTT time.Duration

	// HZ is CONFIG_HZ of the kernels that will use the plan, on which depends how
	// late their timers are. 0 means the worst of 100, 250, 300 and 1000.
	HZ int

	// Detect, if not 0, is how long the death of the peer may go unnoticed: of an
	// idle connection from the last segment received, of one with data in flight
	// from the write.
	Detect time.Duration
	// FromFailure counts Detect from the death of the peer, whatever the program
	// writes meanwhile. It takes about half the idle time.
	FromFailure bool

	// Retries are the limits of the kernels on sending again what is unanswered,
	// which decide without a user timeout: those of a connection are in the
	// Retries of its inspect.Report. The zero value stands for a kernel's defaults.
	Retries kernel.Retries
	// Multipath: the connections are of Multipath TCP, which has no user timeout
	// and whose programs learn later that a peer has died: after
	// net.mptcp.close_timeout.
	Multipath bool

	// NoUserTimeout plans without a user timeout: data in flight to a dead peer
	// is then noticed after about 15 minutes by default, and no live peer is given up
	// because it does not read.
	NoUserTimeout bool
}

// NoLostProbes as Request.LostProbes plans for a path that loses nothing.
const NoLostProbes = -1

const (
	defaultLostProbes = 2
	maxLostProbes     = 126 // TCP_KEEPCNT takes 127
)

func (r Request) lostProbes() int {
	switch r.LostProbes {
	case 0:
		return defaultLostProbes
	case NoLostProbes:
		return 0
	}
	return r.LostProbes
}

func (r Request) conditions() timing.Conditions {
	return timing.Conditions{RTT: r.RTT, HZ: r.HZ, Retries: r.Retries, Multipath: r.Multipath}
}

func (r Request) rtt() time.Duration {
	if r.RTT == 0 {
		return timing.DefaultRTT
	}
	return r.RTT
}

// Validate returns a [*ValueError] for the first field that makes no sense.
func (r Request) Validate() error {
	if r.LostProbes < NoLostProbes || r.LostProbes > maxLostProbes {
		return &ValueError{"lost probes", fmt.Sprint(r.LostProbes), fmt.Sprintf("0 to %d", maxLostProbes)}
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{{"margin", r.Margin}, {"detect", r.Detect}} {
		if f.value < 0 || f.value > maxTimeout {
			return &ValueError{f.name, text(f.value), "0 to " + text(maxTimeout)}
		}
	}
	if err := r.conditions().Validate(); err != nil {
		return err
	}
	if r.FromFailure && r.Detect == 0 {
		return &ValueError{"detect", text(r.Detect), "is needed to count it from the failure"}
	}
	if r.NoUserTimeout && r.Detect != 0 {
		return &ValueError{"detect", text(r.Detect), "needs a user timeout: without one, data in flight to a dead peer is noticed after about 15 minutes"}
	}
	for _, p := range r.Path {
		if err := p.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// The parts of a path by what they do to an idle connection.
type parts struct {
	refreshed []Profile // probes keep them, or it is not known that they do not
	ignoring  []Profile // probes do not
	unknown   []Profile // no timeout is known
	others    []Profile // not an idle timeout
}

func (r Request) parts() parts {
	var s parts
	for _, p := range r.Path {
		switch {
		case p.Kind != IdleTimeout:
			s.others = append(s.others, p)
		case p.Refreshed == No:
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
	return slices.MinFunc(known, func(a, b Profile) int { return int(min(max(a.Timeout-b.Timeout, -1), 1)) }), true
}

// errNothing says why there is nothing to reckon with, nil if there is something.
func (s parts) errNothing() error {
	switch {
	case len(s.refreshed) > 0 || len(s.ignoring) > 0:
		return nil
	case len(s.unknown) > 0:
		return fmt.Errorf("the timeout of %s is %w", ids(s.unknown), ErrUnknown)
	case len(s.others) > 0:
		return &ValueError{"path", ids(s.others), fmt.Sprintf("has no idle timeout (%s is a %s)", s.others[0].label(), s.others[0].Kind)}
	}
	return &ValueError{"path", "none", "name at least one middlebox"}
}

func ids(profiles []Profile) string {
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.label()
	}
	return strings.Join(names, ", ")
}
