package syntax

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A side is a kind of connections that a program has, those of its clients or those that
// it makes.
type side struct {
	conffile.Leg
	givesUp time.Duration // with a Heartbeat: after what silence the program ends it
}

// A Shortfall is a kind of connections for which the text does not do what the plan does:
// they are lost, a dead peer is noticed too late, or that is not known.
type Shortfall struct {
	Verdict align.Verdict // anything but Survives
	Text    string        // a sentence: which connections, what they have, and what becomes of it
	// Unnoticed says that the connections survive, and that a dead peer is noticed too late.
	Unnoticed bool
}

// Beats reports whether the program has messages of its own, which take the place of the
// probes of a plan: what they are on the path is in Shortfalls, and the verdict on the plan
// does not matter.
func (f Format) Beats() bool { return f.beats }

// Shortfalls assesses what the program will really have, on the path of the plan. defaults
// are the system's, as far as they are known. What the plan itself does not survive, or
// survives only if something about the path is true, is not repeated; what the text itself
// rests on, and what the program does to a silent connection, are no part of the plan.
// Connections that the program accepts are at the server's end of the path, as check --file
// has it, which may be another leg than that of the plan.
func (f Format) Shortfalls(p Plan, defaults platform.Settings) []Shortfall {
	if len(p.Request.Path) == 0 {
		return nil // the verdict on the plan is that nothing is known
	}
	var short []Shortfall
	for _, s := range f.sidesOf(p) {
		s.Config = inherit(s.Config, defaults)
		s.OfProgram(f.program)
		a, err := s.Assess(p.Request)
		if err != nil {
			short = append(short, Shortfall{Verdict: align.Unknown, Text: s.Name + ": " + err.Error()})
			continue
		}
		verdict, reason, unnoticed := a.Verdict, a.Reason, false
		if verdict == align.Survives || verdict == align.SurvivesIf {
			if late, why := p.unnoticed(s, a); late != align.Survives {
				verdict, reason, unnoticed = late, why, late == align.Loses
			}
			if why := p.tooManyLost(s, a); why != "" {
				verdict, reason, unnoticed = align.Loses, why, false
			}
		}
		leg := ""
		if legs := p.Request.Legs(); s.Server && !p.Request.Server && len(legs) > 1 {
			last := legs[len(legs)-1]
			leg = fmt.Sprintf(" on the server's leg %s - %s", last.Client, last.Server)
		}
		news := f.beats || verdict == align.Loses || verdict == align.Unknown ||
			verdict == align.NeedsHeartbeat && p.Heartbeat == nil || verdict == align.SurvivesIf && s.Assumption != ""
		if verdict != align.Survives && (news || leg != "") {
			short = append(short, Shortfall{verdict, s.String() + leg + ": " + reason, unnoticed})
		}
	}
	return short
}

// unnoticed is the verdict on a connection that survives: how soon the death of its peer is
// noticed may not be what was asked for.
func (p Plan) unnoticed(s side, a *align.Assessment) (align.Verdict, string) {
	r := p.Request
	bounds := []align.Bound{a.Detection.Idle, a.Detection.InFlight}
	if r.FromFailure {
		bounds = []align.Bound{a.Detection.LateWrite}
	}
	switch {
	case r.Detect == 0:
		return align.Survives, ""
	case s.Heartbeat > 0:
		return align.Unknown, fmt.Sprintf("it survives, but how soon %s notices a dead peer is not computed", s.HeartbeatText)
	}
	for _, b := range bounds {
		if b.Promised() && b.Latest <= r.Detect {
			continue
		}
		verdict, reason := align.Loses, b.Note
		if b.Promised() {
			reason = fmt.Sprintf("that takes up to %s after %s", duration.Seconds(upToSeconds(b.Latest)), b.Since)
		}
		if b.Phase != a.Detection.Idle.Phase && s.Config.UserTimeout <= 0 && r.Retries == nil {
			verdict, reason = align.Unknown, "without a user timeout net.ipv4.tcp_retries2 of the system decides; with Linux's own 15 "+reason
		}
		return verdict, fmt.Sprintf("it survives, but a dead peer is not noticed within %s (%s): %s", duration.Seconds(r.Detect), b.Phase, reason)
	}
	return align.Survives, ""
}

// sidesOf returns the kinds of connections to which the text leads.
func (f Format) sidesOf(p Plan) []side {
	if f.sides != nil {
		return f.sides(p)
	}
	cfg := sockopt.Config{UserTimeout: sockopt.NoUserTimeout}
	switch {
	case f.sets == 0:
		cfg = sockopt.Config{Disabled: true}
	case f.sets.Has(platform.Count):
		cfg.Idle, cfg.Interval, cfg.Count = seconds(p.idle()), seconds(p.interval()), p.count()
	}
	if ms := p.userTimeout(); ms > 0 && f.sets.Has(platform.UserTimeout) {
		cfg.UserTimeout = time.Duration(ms) * time.Millisecond
	}
	its := side{Leg: conffile.Leg{Name: "its connections", Config: cfg, Assumption: f.assumption}}
	if f.has == asked {
		return []side{f.closing(p, its)}
	}
	clients := its.accepted()
	if f.has == accepted {
		return []side{f.closing(p, clients)}
	}
	clients.Name, its.Name = "connections of clients", "connections to servers"
	return []side{f.closing(p, its), f.closing(p, clients)}
}

// closing adds what the program itself does to such connections.
func (f Format) closing(p Plan, s side) side {
	if f.closes != nil {
		return s.closing(f.closes(p, s.Server))
	}
	return s
}

func (s side) closing(c conffile.Closing) side {
	c.Protocol = cmp.Or(c.Protocol, "HTTP")
	s.EndedBy(c)
	return s
}

func (s side) accepted() side {
	s.Server = true
	return s
}

// sideWith is the kind of connections whose other values a program derives from one.
func sideWith(name string, cfg sockopt.Config) side {
	cfg.UserTimeout = sockopt.NoUserTimeout
	return side{Leg: conffile.Leg{Name: name, Config: cfg}}
}

// beating is the kind of connections on which a program sends messages of its own, and
// gives up after that much silence.
func beating(interval, silence int64) side {
	return side{conffile.Leg{
		Name: "its connections", Config: sockopt.Config{UserTimeout: sockopt.NoUserTimeout},
		Heartbeat: seconds(interval), HeartbeatText: fmt.Sprintf("a message every %d s", interval),
	}, seconds(silence)}
}

// tooManyLost says what becomes of a connection with messages if as many packets in a row
// are lost as the plan survives; "" if it lives. TCP sends a message again after the
// retransmission timeout, and doubles that up to 2 minutes: at first it is three times the
// round trip (RFC 6298, 2.2), or 200 ms more than it if that is longer (TCP_RTO_MIN of
// Linux). The clocks of these programs have whole seconds.
func (p Plan) tooManyLost(s side, a *align.Assessment) string {
	if s.Heartbeat == 0 {
		return ""
	}
	rtt := cmp.Or(p.Request.RTT, timing.DefaultRTT)
	silence, again := s.Heartbeat+time.Second+rtt, max(rtt+200*time.Millisecond, 3*rtt)
	for range p.count() - 1 {
		silence += again
		again = min(2*again, 2*time.Minute)
	}
	text := fmt.Sprintf("%s would do, but with %d packets in a row lost TCP sends the next one up to %s after the last segment, and ", s.HeartbeatText, p.count()-1, duration.Seconds(upToSeconds(silence)))
	switch t := a.Tightest.Timeout; {
	case silence >= s.givesUp:
		return text + fmt.Sprintf("the program gives up after %s", duration.Seconds(s.givesUp))
	case t > 0 && silence >= t-p.Request.Margin:
		return text + fmt.Sprintf("%s forgets it after %s", a.Tightest.ID, duration.Seconds(t))
	}
	return ""
}

func upToSeconds(d time.Duration) time.Duration { return seconds(wholeSeconds(d)) }

// inherit gives a Config the defaults that are known, where it leaves the option alone.
func inherit(cfg sockopt.Config, defaults platform.Settings) sockopt.Config {
	if cfg.Disabled {
		return cfg
	}
	if cfg.Idle == 0 && defaults.Known.Has(platform.Idle) {
		cfg.Idle = defaults.Idle
	}
	if cfg.Interval == 0 && defaults.Known.Has(platform.Interval) {
		cfg.Interval = defaults.Interval
	}
	if cfg.Count == 0 && defaults.Known.Has(platform.Count) {
		cfg.Count = defaults.Count
	}
	return cfg
}

// String says which connections these are, and what they have.
func (s side) String() string {
	switch cfg := s.Config; {
	case cfg.Disabled, s.Heartbeat > 0:
		return s.Name
	case cfg.Idle == 0:
		return s.Name + " have what the system's net.ipv4.tcp_keepalive_time, _intvl and _probes say"
	default:
		return fmt.Sprintf("%s have %ds, %ds, %d", s.Name, wholeSeconds(cfg.Idle), wholeSeconds(cfg.Interval), cfg.Count)
	}
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }
