package plan

import (
	"fmt"
	"io"
	"slices"
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

// setBy says who has to set keepalive on the connection of a leg, and how to plan for it.
func setBy(l align.Leg, r align.Request) string {
	if l.Own {
		return "this plan"
	}
	opens, _, _ := divide(l)
	devices, themselves := limits(l)
	switch {
	case len(devices) > 0:
		return acrossDevices(l, r, devices, themselves)
	case len(themselves) > 0:
		return "no device between them, but " + endings(themselves) + changedFlag(l)
	case onlyOf(opens, "client"):
		return "no device between them; what " + l.Client + " itself does to it is not known"
	}
	return "nothing between them forgets it"
}

// changedFlag says what makes a plan for this leg, if it is that of the path's other end.
func changedFlag(l align.Leg) string {
	switch {
	case l.Server == "server":
		return ": add --server"
	case l.Client == "client":
		return ": leave --server out"
	}
	return ""
}

// limits returns what ends a silent connection of a leg: the devices that it crosses, as
// --path takes them, and the proxies and servers at its ends.
func limits(l align.Leg) (devices []string, themselves []align.Profile) {
	opens, between, accepts := divide(l)
	add := func(profiles []align.Profile, otherSide string) {
		for _, p := range profiles {
			switch {
			case !p.LimitsSilence() || p.Never:
			case p.EndsTCP() && p.Side == otherSide:
			case p.EndsTCP() || p.Kind == "server timeout":
				themselves = append(themselves, p)
			default:
				devices = append(devices, element(p))
			}
		}
	}
	add(opens, "client")
	add(between, "")
	add(accepts, "server")
	return devices, themselves
}

// acrossDevices says how to plan for a connection that crosses devices. For the other end of
// the path that is the whole path again: a proxy may itself have a timeout on either of its
// connections, and not the same one. A connection between two proxies has to be planned for
// as one of them sees it.
func acrossDevices(l align.Leg, r align.Request, devices []string, themselves []align.Profile) string {
	var ends []string
	as := ""
	for _, end := range []string{l.Client, l.Server} {
		name := formatOf(end)
		switch {
		case end == "client", end == "server":
			ends = append(ends, "the "+end)
		case name != "":
			ends = append(ends, end)
		}
		if as == "" && name != "" && (end == l.Server || slices.Contains(setOpened, name)) {
			as = " --as " + name
		}
	}
	if len(ends) == 0 {
		return fmt.Sprintf("across %s; what %s and %s do by themselves decides", strings.Join(devices, ", "), l.Client, l.Server)
	}
	opens, between, accepts := divide(l)
	path, server := r.Path, ""
	switch {
	case l.Server == "server":
		server = " --server"
	case l.Client == "client":
	case ends[0] == l.Client:
		path = slices.Concat(between, accepts)
	default:
		path, server = slices.Concat(opens, between), " --server"
	}
	elements := make([]string, len(path))
	for i, p := range path {
		elements[i] = element(p)
	}
	text := fmt.Sprintf("to be set at %s: keepalive plan --path %s%s%s%s", strings.Join(ends, " or "), strings.Join(elements, ","), server, as, others(r))
	left := slices.DeleteFunc(themselves, func(p align.Profile) bool { return slices.Contains(ids(path), p.ID) })
	if len(left) > 0 {
		text += "; " + endings(left)
	}
	return text
}

// divide returns the middleboxes that open the connection of a leg, those that it crosses,
// and those that accept it.
func divide(l align.Leg) (opens, between, accepts []align.Profile) {
	between = l.Path
	if l.Client != "client" {
		n := slices.Index(ids(between), l.Client) + 1
		opens, between = between[:n], between[n:]
	}
	if l.Server != "server" {
		n := slices.Index(ids(between), l.Server)
		between, accepts = between[:n], between[n:]
	}
	return opens, between, accepts
}

func ids(profiles []align.Profile) []string {
	ids := make([]string, len(profiles))
	for i, p := range profiles {
		ids[i] = p.ID
	}
	return ids
}

// onlyOf reports whether all that is known of these proxies is about that one of their two
// connections.
func onlyOf(proxies []align.Profile, side string) bool {
	return len(proxies) > 0 && !slices.ContainsFunc(proxies, func(p align.Profile) bool { return p.Side != side })
}

// endings says after what silence these end a connection themselves.
func endings(proxies []align.Profile) string {
	var texts []string
	for i, p := range proxies {
		itself := map[bool]string{true: " itself"}[i == 0]
		if p.Timeout == 0 {
			texts = append(texts, p.ID+itself+" may end it, after a time that is not known")
		} else {
			texts = append(texts, fmt.Sprintf("%s%s ends it after %s", p.ID, itself, duration.Format(p.Timeout)))
		}
	}
	return strings.Join(texts, ", and ")
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

// setOpened are those whose syntax is about the connections that they open as well.
var setOpened = []string{"envoy", "haproxy", "istio", "traefik"}

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
