package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// unnoticed is the verdict on a connection that survives, and whose peer may be
// dead for too long; it is not one of align's.
const unnoticed = "unnoticed"

// A finding is what there is to say about a connection.
type finding struct {
	*sockets.Row
	verdict string
	reason  string
	change  string
	bad     bool
	assess  *align.Assessment
}

// judge says what becomes of a connection.
func (o *options) judge(r *sockets.Row, plan *align.Plan) finding {
	request, want := o.Request, plan.Config
	request.Retries = r.Retries
	limitsKnown := r.Retries != nil
	if r.Multipath {
		request.Multipath = true
		want.UserTimeout = 0 // which it cannot have
	}
	request.HalfClosed = r.State != inspect.Established
	a, err := request.Assess(r.Settings)
	if err != nil { // as the plan was made of the same request, only half-closed connections have one
		return finding{Row: r, verdict: align.Unknown.String(), reason: exit.Text(err), assess: &align.Assessment{Settings: r.Settings}}
	}
	if request.HalfClosed && a.Verdict == align.Loses {
		if p, err := request.Plan(); err == nil {
			want = p.Config
		}
	}
	f := finding{Row: r, verdict: a.Verdict.String(), reason: a.Reason, assess: a}
	switch {
	case a.Verdict == align.Loses:
		f.bad, f.change = true, changes(r.Settings, want)
	case a.Verdict == align.NeedsHeartbeat:
		f.bad, f.change = true, heartbeatChange(a.Heartbeat)
	case a.Verdict == align.Unknown && !noticing(a): // neither is whether it notices
	case o.Request.Detect > 0 && r.Settings.UserTimeout == 0 && !limitsKnown:
		f.verdict = align.Unknown.String()
		f.reason = "how long data in flight to a dead peer goes unnoticed is unknown: net.ipv4.tcp_retries2 of its network namespace cannot be read"
	default:
		if why := o.unnoticed(a); why != "" {
			f.bad, f.verdict, f.reason, f.change = true, unnoticed, why, changes(r.Settings, want)
		}
	}
	if a.Verdict == align.NeedsHeartbeat && r.Settings.Known.Has(platform.KeepAlive) && !r.Settings.Enabled {
		f.reason += "; keepalive is off too: the death of an idle peer is never noticed"
	}
	if f.bad {
		f.reason += overwritten(r)
	}
	if f.verdict == align.Unknown.String() {
		switch {
		case r.Unknown != nil:
			f.reason = "its settings cannot be read: " + exit.Text(r.Unknown)
		case r.Cause == exit.Denied:
			f.reason = "its settings cannot be read: its process is another user's, or not visible from here"
		case !r.OwnersKnown:
			f.reason = "its settings cannot be read: no process that is visible from here has it open"
		}
		if r.Settings.Known == 0 && r.Timer.Kind == "keepalive" {
			f.reason += "; keepalive is on, as its timer runs"
		}
	}
	return f
}

// overwritten names who sets such values on connections that others have configured:
// package net after a Control hook, grpc-go (20 s) on what its servers accept.
func overwritten(r *sockets.Row) string {
	const ofGRPC = 20 * time.Second
	switch {
	case r.LikeGo:
		return "; 15 s, 15 s and 9 are what Go sets on its own, also over what a Control hook has set"
	case r.Settings.UserTimeout == ofGRPC:
		return "; a user timeout of 20s is what grpc-go sets on its own, unless the connection is pinned"
	}
	return ""
}

// noticing reports whether it is known how long the death of the peer stays unnoticed.
func noticing(a *align.Assessment) bool { return a.Detection.InFlight.Promised() }

// unnoticed says how long the death of the peer stays unnoticed, if that is too long. Where it
// is not known whether the path keeps the connection, it says so too.
func (o *options) unnoticed(a *align.Assessment) string {
	if o.Request.Detect == 0 || !noticing(a) {
		return ""
	}
	for _, b := range []align.Bound{a.Detection.Idle, a.Detection.InFlight} {
		why := ""
		switch {
		case !b.Promised():
			why = b.Phase + ": " + b.Note
		case b.Latest > o.Request.Detect:
			why = fmt.Sprintf("%s: a dead peer is noticed up to %s after %s", b.Phase, duration.Bound(b.Latest), b.Since)
		default:
			continue
		}
		if a.Verdict == align.Unknown {
			why += "; whether it survives is not known: " + a.Reason
		}
		return why
	}
	return ""
}

// judgedAs says which leg of a path was judged, "" if it has only one.
func judgedAs(r align.Request) string {
	legs := r.Legs()
	if len(legs) == 1 {
		return ""
	}
	if last := legs[len(legs)-1]; r.Server {
		return fmt.Sprintf("judged as the server's leg %s - %s", last.Client, last.Server)
	}
	return fmt.Sprintf("judged as the client's leg %s - %s; --server judges the server's", legs[0].Client, legs[0].Server)
}

// changes lists what a socket with these settings has to change to be like cfg, as
// sockopt.Parse reads it.
func changes(s platform.Settings, cfg sockopt.Config) string {
	want := kernel.Linux().Effect(kernel.Request(cfg), s) // the plan's, which is valid
	var list []string
	for _, o := range kernel.Options() {
		value, _ := want.Lookup(o)
		if held, known := s.Lookup(o); known && held == value {
			continue
		}
		switch {
		case o == platform.KeepAlive:
			list = append(list, "on")
		case o == platform.UserTimeout && value == 0:
			list = append(list, "user-timeout=off")
		default:
			list = append(list, o.String()+"="+o.Format(value))
		}
	}
	return strings.Join(list, ",")
}

func heartbeatChange(h *align.Heartbeat) string {
	if h.Every == 0 {
		return fmt.Sprintf("%s; how often is not known: --idle-timeout %s=60s", h.Kinds[0].Name, h.Tightest.ID)
	}
	return fmt.Sprintf("%s every %s, or drop it after %s unused", h.Kinds[0].Name, duration.Format(h.Every.Truncate(time.Second/10)), duration.Format(h.IdleConnTimeout))
}
