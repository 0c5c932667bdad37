package plan

import (
	"fmt"
	"io"
	"strings"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// printLegs says which part of a path the plan is for, if a proxy splits it, and who has
// to set the others.
func printLegs(w io.Writer, r align.Request) {
	legs := r.Legs()
	if len(legs) == 1 {
		return
	}
	fmt.Fprintln(w, "\nTCP connections of this path")
	for _, l := range legs {
		fmt.Fprintf(w, "  %s - %s: %s\n", l.Client, l.Server, setBy(l, r))
	}
}

// setBy says who has to set keepalive on the connection of a leg.
func setBy(l align.Leg, r align.Request) string {
	if l.Own {
		return "this plan"
	}
	var between []string
	for _, p := range l.Path {
		if p.LimitsSilence() && !p.EndsTCP() && p.ID != l.Client {
			between = append(between, element(p))
		}
	}
	if len(between) == 0 {
		return "nothing between them forgets it"
	}
	var ends, as []string
	for _, end := range []string{l.Client, l.Server} {
		switch name := formatOf(end); {
		case end == "client", end == "server":
			ends = append(ends, "the "+end)
		case name != "":
			ends, as = append(ends, end), append(as, " --as "+name)
		}
	}
	if len(ends) == 0 {
		return fmt.Sprintf("across %s; what %s and %s do by themselves decides", strings.Join(between, ", "), l.Client, l.Server)
	}
	return fmt.Sprintf("to be set at %s: keepalive plan --path %s%s", strings.Join(ends, " or "), strings.Join(between, ","), strings.Join(as[:min(len(as), 1)], "")+others(r))
}

// others says that a plan for another leg takes the other flags of this one.
func others(r align.Request) string {
	const lostByDefault = 2
	if r.HalfClosed || r.Longest || r.AssumeRefresh || r.NoUserTimeout || r.Detect > 0 || r.Margin > 0 || r.RTT > 0 || r.HZ > 0 || r.LostProbes != lostByDefault {
		return ", with the other flags of this one"
	}
	return ""
}

// programs are those that profiles and syntaxes have the same name for.
var programs = []string{"caddy", "envoy", "haproxy", "ingress-nginx", "istio", "nginx", "traefik"}

// formatOf returns the syntax that is the configuration of this profile's program, "" if
// there is none.
func formatOf(id string) string {
	for _, name := range programs {
		if id == name || strings.HasPrefix(id, name+"-") {
			return name
		}
	}
	return ""
}

// element returns the profile as --path takes it.
func element(p align.Profile) string {
	usual, err := new(align.Catalog).Lookup(p.ID)
	if err == nil && usual.Timeout != p.Timeout {
		return p.ID + "=" + duration.Format(p.Timeout)
	}
	return p.ID
}
