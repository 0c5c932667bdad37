package align

import "slices"

// A Leg is one TCP connection of a path. Middleboxes that end TCP connections, such as
// proxies, split a path into several.
type Leg struct {
	// Client opens the connection, and Server accepts it: "client", "server", or the ID of
	// a middlebox. Either end can set keepalive on it.
	Client, Server string
	// Path holds what the connection crosses, with the middleboxes at its ends.
	Path []Profile
	// Own says that the Config of the request is for this leg. All others have to be set
	// elsewhere.
	Own bool
}

// Legs returns the TCP connections between client and server, in this order. Profiles of
// one proxy that stand side by side, as for its two connections, are one end.
func (r Request) Legs() []Leg {
	legs := []Leg{{Client: "client"}}
	for i := 0; i < len(r.Path); {
		p, next := r.Path[i], i+1
		for p.device != "" && next < len(r.Path) && r.Path[next].device == p.device {
			next++
		}
		end := r.Path[i:next]
		last := &legs[len(legs)-1]
		last.Path = append(last.Path, end...)
		// What is behind a server is not on the connection that it ends.
		if p.EndsTCP() || p.Kind == serverTimeout && next < len(r.Path) {
			last.Server = p.label()
			legs = append(legs, Leg{Client: end[len(end)-1].label(), Path: slices.Clone(end)})
		}
		i = next
	}
	legs[len(legs)-1].Server = "server"
	if r.Server {
		legs[len(legs)-1].Own = true
	} else {
		legs[0].Own = true
	}
	return legs
}

// leg returns the middleboxes that limit connections of the own leg. Their timeouts are
// those of half-closed connections if the request is about these, and the shorter of both
// if a plan is to hold for both.
func (r Request) leg() []Profile {
	var leg []Profile
	for _, l := range r.Legs() {
		if !l.Own {
			continue
		}
		for _, p := range l.Path {
			if !p.EndsTCP() || p.Side != r.otherSide() {
				leg = append(leg, r.halfClosed(p))
			}
		}
	}
	return leg
}

// otherSide is the Side of a proxy's connection that is none of the own leg.
func (r Request) otherSide() string {
	if r.Server {
		return "client"
	}
	return "server"
}

// undescribed returns the proxies at the end of the own leg of which the path only has the
// other connection: they may have a timeout on this one, too.
func (r Request) undescribed() []Profile {
	var undescribed []Profile
	for _, l := range r.Legs() {
		for _, p := range l.Path {
			sameProxy := func(other Profile) bool {
				return other.EndsTCP() && other.LimitsSilence() && other.Side != r.otherSide() && p.device != "" && other.device == p.device
			}
			if l.Own && p.EndsTCP() && p.Side == r.otherSide() && !slices.ContainsFunc(l.Path, sameProxy) {
				undescribed = append(undescribed, p)
			}
		}
	}
	return undescribed
}

// otherOnly says what is known of them.
func (r Request) otherOnly() string {
	return "all that is known of it is about its connection on the side of the " + r.otherSide()
}

func (r Request) halfClosed(p Profile) Profile {
	if !r.HalfClosed || !p.LimitsSilence() || p.ignoresProbes() {
		return p
	}
	if r.alsoOpen && p.HalfClosed > 0 && p.Timeout > 0 && p.Timeout <= p.HalfClosed {
		return p
	}
	p.Timeout, p.TimeoutEvidence = p.HalfClosed, p.HalfClosedEvidence
	return p
}
