package align

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Plan is a Config with its Assessment: the proof that a connection survives the
// path, or the reason why it does not.
type Plan struct {
	// Config holds the settings for either end of the connection. If the verdict is
	// NeedsHeartbeat, they still notice dead peers, and refresh the rest of the path.
	Config sockopt.Config
	Assessment
	// Limits lists the cases in which no Config notices a death within the Detect of
	// the request.
	Limits []Limit
}

// String returns the Config and the verdict on it, in one line:
// "idle=60s,interval=6s,count=3,user-timeout=80s survives: refreshed after ...".
func (p Plan) String() string { return p.Config.String() + " " + p.Assessment.String() }

// A Limit is a case in which the death of the peer may go unnoticed for longer than the
// request asks.
type Limit struct {
	When   string // the case
	Remedy string // what would help
}

const (
	// comfortable is the longest idle time of a plan without Longest: connections survive
	// nearly every path, and the death of a peer is noticed after about 80 s, for one probe
	// a minute. It is the idle time that curl has by default (CURLOPT_TCP_KEEPIDLE), that
	// Google recommends for Compute Engine, and that DataStax recommends behind firewalls.
	comfortable = 60 * time.Second
	// reserve is the share of a timeout that such a plan keeps.
	reserve = 0.05
)

// Plan returns a Config that meets the request. Its idle time is the longest of at most
// 60 s with which a connection survives the path and 5 % of the timeout are left, or with
// Longest the longest of all. Its interval is a tenth of the idle time and at least 1 s,
// and its count is one more than the number of probes that may be lost.
//
// Without Detect the user timeout is idle + count*interval. It is longer if the
// connection could otherwise end before a late probe leaves.
//
// If no Config in whole seconds meets the request, the error wraps an [*ImpossibleError]
// with the nearest request that one meets. Otherwise Plan returns the errors of
// [Request.Assess]. A path that ignores probes is no error, nor is one on which nothing is
// known to forget a connection, for which a plan only notices dead peers: the verdict says so.
func (r Request) Plan() (*Plan, error) {
	p, err := r.plan()
	return p, named(err)
}

func (r Request) plan() (*Plan, error) {
	r.alsoOpen = true
	if err := r.validate(); err != nil {
		return nil, err
	}
	parts := r.parts()
	if err := r.errNothing(); err != nil && (r.Detect == 0 || len(r.Path) > 0) {
		return nil, err
	}
	timeout := time.Duration(math.MaxInt64)
	tight, refreshable := tightest(parts.refreshed)
	if refreshable {
		timeout = tight.Timeout
	}
	linux, _ := platform.Lookup("linux") // plans are made for it, wherever they are made
	cfg, _, err := sockopt.RecommendedFor(linux)
	if err != nil {
		return nil, err
	}
	if refreshable || r.Detect > 0 {
		var found bool
		if cfg, found = r.search(timeout); !found {
			return nil, r.impossible(tight, timeout)
		}
	} else if r.NoUserTimeout {
		cfg.UserTimeout = sockopt.NoUserTimeout
	}
	p := &Plan{Config: cfg, Assessment: *r.assess(settingsOf(cfg)), Limits: r.limits(cfg)}
	p.Warnings = append(p.Warnings, r.withoutUserTimeout(cfg)...)
	if len(r.Path) == 0 {
		p.Verdict, p.Reason = Unknown, "no path is given: this notices dead peers, and may or may not survive middleboxes"
	}
	return p, nil
}

// settingsOf returns what a Linux socket with a complete Config holds.
func settingsOf(cfg sockopt.Config) platform.Settings {
	return kernel.Linux().Effect(kernel.Request(cfg), platform.Settings{})
}

// search returns the Config with the longest idle time that meets the request.
func (r Request) search(timeout time.Duration) (sockopt.Config, bool) {
	longest := min(time.Duration(kernel.Linux().Spec(platform.Idle).Max)*second, timeout)
	if r.Detect > 0 {
		longest = min(longest, r.Detect)
	}
	if !r.Longest {
		if r.Margin == 0 && timeout <= maxTimeout {
			with := r
			with.Margin = time.Duration(reserve * float64(timeout))
			if cfg, found := with.searchFrom(min(longest, comfortable), timeout); found {
				return cfg, true
			}
		}
		longest = min(longest, comfortable)
	}
	return r.searchFrom(longest, timeout)
}

func (r Request) searchFrom(longest, timeout time.Duration) (sockopt.Config, bool) {
	for idle := longest.Truncate(second); idle >= second; idle -= second {
		if cfg, ok := r.withIdle(idle, timeout); ok {
			return cfg, true
		}
	}
	return sockopt.Config{}, false
}

// withIdle returns the Config with this idle time, and whether it meets the
// request.
func (r Request) withIdle(idle, timeout time.Duration) (sockopt.Config, bool) {
	cfg := sockopt.Config{
		Idle:     idle,
		Interval: max(second, duration.Up(idle/10, second)),
		Count:    r.lostProbes() + 1,
	}
	s := settingsOf(cfg)
	if r.latestRefresh(s, r.lostProbes()) >= timeout-r.Margin {
		return cfg, false
	}
	if r.NoUserTimeout {
		cfg.UserTimeout = sockopt.NoUserTimeout
		return cfg, true
	}
	for _, cfg.UserTimeout = range r.userTimeouts(s) {
		if r.detects(cfg) {
			return cfg, true
		}
	}
	return cfg, false
}

// userTimeouts returns the user timeouts to try, the best one first. With each of them
// the last probe that the request counts on still leaves.
func (r Request) userTimeouts(s platform.Settings) []time.Duration {
	last := r.latestRefresh(s, r.lostProbes())
	given := s.Idle + time.Duration(s.Count)*s.Interval
	if r.Detect == 0 {
		return []time.Duration{max(given, last.Truncate(second)+second)}
	}
	shortest := last.Truncate(time.Millisecond) + time.Millisecond
	s.UserTimeout = given
	left := r.Detect
	if d, err := timing.DetectionBounds(s, r.conditions()); err == nil && r.FromFailure {
		left -= d[timing.PhaseIdle].Latest
	}
	longest := timing.LongestUserTimeout(left, r.conditions())
	return slices.DeleteFunc([]time.Duration{
		given,
		min(given, longest.Truncate(second)),
		min(given, longest.Truncate(second/10)),
		shortest.Truncate(second) + second,
		shortest,
	}, func(t time.Duration) bool { return t < shortest })
}

// detects reports whether cfg notices a dead peer as soon as the request asks.
func (r Request) detects(cfg sockopt.Config) bool {
	if r.Detect == 0 {
		return true
	}
	d, err := timing.DetectionBounds(settingsOf(cfg), r.conditions())
	return err == nil && r.longest(d) <= r.Detect
}

// longest returns the time that the request's Detect limits.
func (r Request) longest(d timing.Detection) time.Duration {
	if r.FromFailure {
		return d[timing.PhaseLateWrite].Latest
	}
	return max(d[timing.PhaseIdle].Latest, d[timing.PhaseInFlight].Latest)
}

// impossible returns an error that says which part of the request is too tight, and
// what would be possible.
func (r Request) impossible(tight Profile, timeout time.Duration) error {
	shortest := sockopt.Config{Idle: second, Interval: second, Count: r.lostProbes() + 1}
	needs := r.latestRefresh(settingsOf(shortest), r.lostProbes()) + r.Margin
	if needs >= timeout {
		e := &ImpossibleError{Field: "timeout of " + tight.label(), Value: duration.Seconds(tight.Timeout), Nearest: r.withFewerLost()}
		e.Limit = fmt.Sprintf("to survive %s lost, with settings of whole seconds, it has to be more than %s", probeCount(r.lostProbes()), duration.Bound(needs))
		if r.Margin > 0 {
			e.Limit += ", with a margin of " + duration.Seconds(r.Margin)
		}
		if e.Nearest != nil {
			e.Limit += fmt.Sprintf("; with %s lost this one is possible", probeCount(e.Nearest.lostProbes()))
		}
		return e
	}
	least := r.leastDetect(shortest)
	e := &ImpossibleError{Field: "detect", Value: duration.Seconds(r.Detect)}
	e.Limit = fmt.Sprintf("with %s lost and settings of whole seconds it is %s at least", probeCount(r.lostProbes()), duration.Seconds(least))
	nearest := r
	nearest.Detect = least
	e.Nearest = &nearest
	if fewer := r.withFewerLost(); fewer != nil {
		e.Limit += fmt.Sprintf("; with %s lost %s is possible", probeCount(fewer.lostProbes()), duration.Seconds(r.Detect))
	}
	return e
}

// leastDetect returns the shortest Detect that any Config meets.
func (r Request) leastDetect(shortest sockopt.Config) time.Duration {
	last := r.latestRefresh(settingsOf(shortest), r.lostProbes())
	shortest.UserTimeout = last.Truncate(time.Millisecond) + time.Millisecond
	d, _ := timing.DetectionBounds(settingsOf(shortest), r.conditions()) // complete and valid
	return duration.Up(r.longest(d), second/10)
}

// withFewerLost returns the request with as many lost probes as are possible, nil if it
// is impossible even if no probe is lost.
func (r Request) withFewerLost() *Request {
	for lost := r.lostProbes() - 1; lost >= 0; lost-- {
		fewer := r
		fewer.LostProbes = lost
		if lost == 0 {
			fewer.LostProbes = -1
		}
		timeout := time.Duration(math.MaxInt64)
		if tight, ok := tightest(r.parts().refreshed); ok {
			timeout = tight.Timeout
		}
		if _, found := fewer.search(timeout); found {
			return &fewer
		}
	}
	return nil
}

// limits lists the cases in which cfg does not notice a death within the Detect of the
// request.
func (r Request) limits(cfg sockopt.Config) []Limit {
	if r.Detect == 0 {
		return nil
	}
	var limits []Limit
	d, _ := timing.DetectionBounds(settingsOf(cfg), r.conditions()) // complete and valid
	if late := d[timing.PhaseLateWrite].Latest; late > r.Detect {
		limits = append(limits, Limit{
			fmt.Sprintf("the program writes just before an idle connection would be given up: up to %s from the death of the peer", duration.Bound(late)),
			"plan from the failure, or give each write its own deadline",
		})
	}
	if connect := d[timing.PhaseConnect]; connect.Latest > r.Detect {
		limits = append(limits, Limit{
			fmt.Sprintf("connecting: up to %s from the first SYN (%s)", duration.Bound(connect.Latest), connect.Note),
			fmt.Sprintf("a dialer timeout of %s", duration.Seconds(r.Detect)),
		})
	}
	k := cfg.Idle + time.Duration(cfg.Count)*cfg.Interval
	return append(limits,
		Limit{
			fmt.Sprintf("a program that writes more often than about every %s (two round trips): each write puts the retransmission timer off, and the user timeout with it", duration.Seconds(2*r.rtt())),
			"a watchdog on the time since the last acknowledgement (TCP_INFO), or deadlines of the program's own",
		},
		Limit{
			fmt.Sprintf("only packets to the peer are lost, while it has unacknowledged data: its retransmissions count as signs of life, up to %s more", duration.Seconds(2*k)),
			"a user timeout at the peer too",
		},
		Limit{
			fmt.Sprintf("a live peer that does not read for %s is given up as if it were dead", duration.Seconds(cfg.UserTimeout)),
			"no user timeout, and deadlines of the program's own",
		},
	)
}
