package syntax

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/ends"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Plan is what to write: a complete Config, and what it was planned for.
type Plan struct {
	Config    sockopt.Config
	Request   align.Request
	Heartbeat *align.Heartbeat // nil: probes are enough
}

// The numbers that all of them want.
func (p Plan) idle() int64     { return wholeSeconds(p.Config.Idle) }
func (p Plan) interval() int64 { return wholeSeconds(p.Config.Interval) }
func (p Plan) count() int      { return p.Config.Count }

// userTimeout is in milliseconds, 0 for off.
func (p Plan) userTimeout() int64 {
	return max(0, int64((p.Config.UserTimeout+time.Millisecond-1)/time.Millisecond))
}

// wholeSeconds rounds up, as the kernel's own unit wants it.
func wholeSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// longest returns the longest idle time, in seconds, with which a socket survives the
// path of the plan and notices a dead peer as soon, where a program derives the other
// values from it or has them fixed. It is false if the plan's own idle time has to do.
func (p Plan) longest(made func(seconds int64) sockopt.Config) (int64, bool) {
	all := p.count() - 1
	for _, lost := range []int{all, min(all, 2)} { // most programs cannot lose more than two
		for value := p.idle(); value > 0; value-- {
			if p.survivesWith(made(value), lost) {
				return value, lost == all
			}
		}
	}
	return p.idle(), false
}

// survivesWith reports whether a Config without user timeout survives the path if so many probes
// are lost, and notices a dead peer of an idle connection as soon as the plan does.
func (p Plan) survivesWith(cfg sockopt.Config, lost int) bool {
	cfg.UserTimeout = sockopt.NoUserTimeout
	s := kernel.Linux().Effect(kernel.Request(cfg), platform.Settings{})
	a, err := p.Request.Assess(s)
	if err != nil { // no path: the budget alone
		d, err := timing.DetectionBounds(s, timing.Conditions{RTT: p.Request.RTT, HZ: p.Request.HZ})
		return err == nil && d[timing.PhaseIdle].Latest <= p.Request.Detect
	}
	inTime := p.Request.Detect == 0 || a.Detection.Idle.Latest <= p.Request.Detect
	return inTime && (a.Tightest.Timeout == 0 || a.LostProbes >= lost)
}

// difference is what a program makes of the plan that does not set it all, in a sentence.
func (p Plan) difference(what string, cfg sockopt.Config) string {
	return fmt.Sprintf("%s: this is %ds, %ds, %d where the plan is %ds, %ds, %d",
		what, wholeSeconds(cfg.Idle), wholeSeconds(cfg.Interval), cfg.Count, p.idle(), p.interval(), p.count())
}

// fixed is what a program sets that nobody can change, in a sentence.
func (p Plan) fixed(what string, cfg sockopt.Config) string {
	text := p.difference(what+" has fixed values", cfg)
	if !p.survivesWith(cfg, p.count()-1) {
		text += "; with these a probe may come too late on this path, or a dead peer be noticed late"
	}
	return text
}

// beat is how often a program has to send something of its own, where that is what
// keeps a connection alive.
func (p Plan) beat() int64 {
	if p.Heartbeat != nil && p.Heartbeat.Every > 0 {
		return max(1, int64(p.Heartbeat.Every/time.Second))
	}
	return p.idle()
}

// noticed is after how many seconds the plan gives an idle connection up, without
// lateness.
func (p Plan) noticed() int64 { return p.idle() + int64(p.count())*p.interval() }

// client and server are the idle times of HTTP connections at the two ends, and false
// if the path has no proxy, if its timeout is not known, or if it does not speak HTTP.
func (p Plan) client() (int64, bool) {
	e, _ := ends.Of(p.Request)
	s := int64(e.Client / time.Second)
	return s, e.HTTP && s > 0
}

func (p Plan) server() (int64, bool) {
	e, _ := ends.Of(p.Request)
	return wholeSeconds(e.Server), e.HTTP && e.Server > 0
}

// pooled is for how long a pool of a database's client may keep an idle connection. It is
// false if nothing on the path ends idle connections, or if that time is not known.
func (p Plan) pooled() (int64, bool) {
	e, _ := ends.Of(p.Request)
	s := int64(e.Client / time.Second)
	return s, s > 0
}

func unknownOf(e ends.Ends) string {
	if e.Client == 0 {
		return e.First.ID
	}
	return e.Last.ID
}

// pool is for how long a pool may keep an idle connection whose probes do not help: it
// is shorter than every timeout of the path. It is false if none is known.
func (p Plan) pool() (int64, bool) {
	var shortest time.Duration
	for _, profile := range p.Request.Path {
		if profile.LimitsSilence() && profile.Timeout > 0 && (shortest == 0 || profile.Timeout < shortest) {
			shortest = profile.Timeout
		}
	}
	e, ok := ends.Of(align.Request{RTT: p.Request.RTT, Path: []align.Profile{{ID: "path", Layer: "L7", Timeout: shortest}}})
	return int64(e.Client / time.Second), ok && e.Client >= time.Second
}
