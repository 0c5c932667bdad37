package conffile

import (
	"slices"
	"strings"
)

// isLoopback reports whether an address with or without a port stays on its machine.
func isLoopback(address string) bool {
	return strings.HasPrefix(address, "127.") || address == "localhost" || strings.HasPrefix(address, "localhost:") ||
		address == "::1" || strings.HasPrefix(address, "[::1]")
}

const oneLegText = "keepalive is on for %s (%s), and off for %s: there a dead peer is not noticed, and middleboxes forget silent connections"

// oneLeg finds a proxy that probes on one of its sides only.
func (s *source) oneLeg(clients, servers []*leg) {
	isOn := func(l *leg) bool { return l.state == on }
	switch {
	case slices.ContainsFunc(clients, isOn):
		for _, l := range servers {
			if !isOn(l) {
				l.remark(l.Place, OneLeg, oneLegText, first(clients, isOn).Name, first(clients, isOn).Place, l.Name)
			}
		}
	case slices.ContainsFunc(servers, isOn):
		for _, l := range clients {
			l.remark(l.Place, OneLeg, oneLegText, first(servers, isOn).Name, first(servers, isOn).Place, l.Name)
		}
	}
}

func first(legs []*leg, is func(*leg) bool) *leg {
	return legs[slices.IndexFunc(legs, is)]
}
