// Package sockets shows examples what the kernel holds for both ends of a
// connection, whichever program has them open.
package sockets

import (
	"fmt"
	"net"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Both returns the settings of c, and those of its peer's socket, which another
// process on this machine has open: that takes root.
func Both(c net.Conn) (ours, theirs platform.Settings, err error) {
	if ours, err = sockopt.Get(c); err != nil {
		return ours, theirs, err
	}
	theirs, err = Between(c.RemoteAddr(), c.LocalAddr())
	return ours, theirs, err
}

// Between returns the settings of the socket on this machine with these
// addresses.
func Between(local, peer net.Addr) (platform.Settings, error) {
	owners, err := inspect.FindOwners()
	if err != nil {
		return platform.Settings{}, err
	}
	f := inspect.Filter{Local: []string{local.String()}, Peer: []string{peer.String()}, Owners: owners, Settings: true}
	for r, err := range inspect.List(f) {
		switch {
		case err != nil:
			return platform.Settings{}, err
		case r.Unknown != nil:
			return platform.Settings{}, fmt.Errorf("socket %s to %s: %w", local, peer, r.Unknown)
		case len(r.Owners) == 0:
			return platform.Settings{}, fmt.Errorf("socket %s to %s: its process is not visible; root would see it", local, peer)
		}
		return r.Settings, nil
	}
	return platform.Settings{}, fmt.Errorf("no socket %s to %s on this machine", local, peer)
}
