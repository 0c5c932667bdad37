package align

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

// Legs returns the TCP connections between client and server, in this order.
func (r Request) Legs() []Leg {
	legs := []Leg{{Client: "client"}}
	for _, p := range r.Path {
		last := &legs[len(legs)-1]
		last.Path = append(last.Path, p)
		if p.LimitsSilence() && p.EndsTCP() {
			last.Server = p.label()
			legs = append(legs, Leg{Client: p.label(), Path: []Profile{p}})
		}
	}
	legs[len(legs)-1].Server = "server"
	if r.Server {
		legs[len(legs)-1].Own = true
	} else {
		legs[0].Own = true
	}
	return legs
}

// leg returns the middleboxes of the own leg. Their timeouts are those of half-closed
// connections if the request is about these.
func (r Request) leg() []Profile {
	var leg []Profile
	for _, l := range r.Legs() {
		if l.Own {
			leg = append(leg, l.Path...)
		}
	}
	if r.HalfClosed {
		for i := range leg {
			if leg[i].LimitsSilence() {
				leg[i].Timeout, leg[i].TimeoutEvidence = leg[i].HalfClosed, leg[i].HalfClosedEvidence
			}
		}
	}
	return leg
}
