package sockopt

import (
	"errors"
	"io"
	"net"
	"time"
)

// ErrPinned is returned by SetKeepAlive, SetKeepAlivePeriod and
// SetKeepAliveConfig of a pinned connection.
var ErrPinned = errors.New("sockopt: the keepalive options of this connection are pinned")

// Pin protects the options of a TCP connection from frameworks that overwrite
// them on every *net.TCPConn: grpc-go sets TCP_USER_TIMEOUT (20 s on a server by
// default), and go-sql-driver/mysql sets SO_KEEPALIVE. [Verify] detects such a
// change.
//
// The result is not a *net.TCPConn but has all its methods: sendfile, splice,
// writev, CloseWrite and SyscallConn keep working. Its three SetKeepAlive
// methods change nothing and return [ErrPinned]; [Set] still works on it. Only
// ReadFrom of a bare *net.TCPConn does not use splice to copy from a pinned
// connection, or from a limited part of one. A connection of another type,
// including one that embeds a *net.TCPConn, is returned as it is: such
// frameworks leave it alone, but its own SetKeepAlive methods still work.
func Pin(c net.Conn) net.Conn {
	if tcp, ok := c.(*net.TCPConn); ok && tcp != nil {
		return &pinned{tcp}
	}
	return c
}

type pinned struct{ *net.TCPConn }

func (*pinned) SetKeepAlive(bool) error                      { return ErrPinned }
func (*pinned) SetKeepAlivePeriod(time.Duration) error       { return ErrPinned }
func (*pinned) SetKeepAliveConfig(net.KeepAliveConfig) error { return ErrPinned }

// ReadFrom lets the kernel copy the data even if the source is pinned.
func (p *pinned) ReadFrom(r io.Reader) (int64, error) {
	switch source := r.(type) {
	case *pinned:
		r = source.TCPConn
	case *io.LimitedReader: // io.CopyN
		if inner, ok := source.R.(*pinned); ok {
			limited := &io.LimitedReader{R: inner.TCPConn, N: source.N}
			n, err := p.TCPConn.ReadFrom(limited)
			source.N = limited.N
			return n, err
		}
	}
	return p.TCPConn.ReadFrom(r)
}
