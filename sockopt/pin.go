package sockopt

import (
	"errors"
	"io"
	"net"
	"time"
)

// ErrPinned is what a pinned connection answers to SetKeepAlive,
// SetKeepAlivePeriod and SetKeepAliveConfig.
var ErrPinned = errors.New("keepalive options of this connection are pinned")

// Pin protects the options of a TCP connection from frameworks that overwrite
// them on every *net.TCPConn they meet: grpc-go sets TCP_USER_TIMEOUT (20 s on
// a server by default), go-sql-driver/mysql SO_KEEPALIVE. [Verify] sees that it
// happened.
//
// The result is no *net.TCPConn and has all its methods: sendfile, splice,
// writev, CloseWrite and SyscallConn keep working. Its three SetKeepAlive
// methods change nothing and return [ErrPinned]; [Set] still works on it. Only a
// copy into a bare *net.TCPConn by its ReadFrom, or of a limited part of a pinned
// source into it, goes without splice. A connection of another type, also one that
// embeds a *net.TCPConn, is returned as it is: such frameworks leave it alone, but
// SetKeepAlive methods that it has itself go on working.
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

// ReadFrom lets the kernel move the data also where the source is pinned.
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
