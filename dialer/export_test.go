package dialer

import "github.com/tcpkeepalive/keepalive/internal/socket"

// On makes the Dialer dial on another system.
func (d *Dialer) On(o socket.OS) *Dialer {
	d.os = o
	return d
}
