package listener

import (
	"net"

	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// On makes the ListenConfig listen on another system.
func (lc *ListenConfig) On(o socket.OS) *ListenConfig {
	lc.os = o
	return lc
}

// ConfigureOn is Configure on another system.
func ConfigureOn(o socket.OS, lc *net.ListenConfig, cfg sockopt.Config) error {
	return named(configure(o, lc, cfg))
}
