// Package sockets shows examples what the kernel holds for both ends of a
// connection, whichever program has them open.
package sockets

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

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
	from, to := address(local), address(peer)
	owners, err := inspect.FindOwners()
	if err != nil {
		return platform.Settings{}, err
	}
	var peeker inspect.Peeker
	defer peeker.Close()
	for s, err := range inspect.List(inspect.Filter{}) {
		if err != nil {
			return platform.Settings{}, err
		}
		if plain(s.Local) != from || plain(s.Peer) != to {
			continue
		}
		err := errors.New("its process is not visible; root would see it")
		for o := range owners.Of(s.Inode) {
			var settings platform.Settings
			if settings, err = peeker.Settings(o, s.Inode); err == nil {
				return settings, nil
			}
		}
		return platform.Settings{}, fmt.Errorf("socket %s to %s: %w", from, to, err)
	}
	return platform.Settings{}, fmt.Errorf("no socket %s to %s on this machine", from, to)
}

func address(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	return plain(t.AddrPort())
}

func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
