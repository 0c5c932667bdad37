package align

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// warnings says what a user has to know about the path besides the verdict.
func (r Request) warnings(parts parts, latestRefresh time.Duration) []string {
	var ws []string
	warn := func(format string, args ...any) { ws = append(ws, fmt.Sprintf(format, args...)) }
	for _, p := range r.Path {
		if p.inSeconds() && p.Timeout > 24*time.Hour {
			warn("%s is %s: was %s meant?", p.ID, inDays(p.Timeout), duration.Seconds(p.Timeout/1000))
		}
		switch {
		case p.Never:
			warn("%s ends no silent connection unless its timeout is set: if yours is, state it", p.label())
		case p.LimitsSilence():
		case p.Kind == maxAge:
			warn("%s ends every connection at the age of %s, used or not: no setting prevents that, let the pool retire them earlier", p.label(), duration.Seconds(p.Timeout))
		case p.Kind == requestLimit:
			warn("%s limits a request to %s; it says nothing about idle connections", p.label(), duration.Seconds(p.Timeout))
		default:
			warn("%s is no middlebox: the plan does not take it into account", p.label())
		}
	}
	for _, l := range r.Legs() {
		if !l.Own {
			warn("%s and %s have a TCP connection of their own%s: what is set at the %s does not reach it", l.Client, l.Server, l.across(), r.end())
		}
	}
	for _, p := range parts.unknown {
		warn("%s is not known: the plan does not take it into account", r.timeoutOf([]Profile{p}))
	}
	for _, p := range parts.refreshed {
		if p.Sender != "" {
			warn("%s: send the probes from %s", p.label(), p.Sender)
		}
		if !r.HalfClosed && p.HalfClosed > 0 && latestRefresh >= p.HalfClosed {
			warn("%s forgets a connection that one end has closed for writing after %s: these settings do not keep it that long", p.label(), duration.Seconds(p.HalfClosed))
		}
	}
	for _, p := range r.Path {
		if p.Note != "" {
			warn("%s: %s", p.label(), p.Note)
		}
	}
	return ws
}

// inSeconds reports whether the time of a middlebox of a user's own is a number without a
// unit, which may have been meant in milliseconds.
func (p Profile) inSeconds() bool {
	word, value, _ := strings.Cut(p.ID, ":")
	_, its := own[word]
	value, _, _ = strings.Cut(value, "/")
	_, err := strconv.ParseFloat(value, 64)
	return its && err == nil
}

func inDays(d time.Duration) string {
	const day = 24 * time.Hour
	text := fmt.Sprintf("%dd", d/day)
	if rest := d % day; rest > 0 {
		text += strings.Replace(rest.String(), "m0s", "m", 1)
	}
	return text
}

// across says what the connection crosses between its ends.
func (l Leg) across() string {
	between := slices.DeleteFunc(slices.Clone(l.Path), func(p Profile) bool { return p.EndsTCP() || p.Kind == serverTimeout })
	if len(between) == 0 {
		return ""
	}
	return " across " + ids(between)
}

// end names the end that the Config is for.
func (r Request) end() string {
	if r.Server {
		return "server"
	}
	return "client"
}
