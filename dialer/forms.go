package dialer

import (
	"context"
	"net"
	"strings"
)

// DialAddr returns a dial function without a network parameter, for clients that
// need a func(ctx, addr).
func (d *Dialer) DialAddr(network string) func(ctx context.Context, addr string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		return d.DialContext(ctx, network, addr)
	}
}

// DialGRPC dials an address that grpc-go passes to a context dialer:
//
//	conn, err := grpc.NewClient(target, grpc.WithContextDialer(d.DialGRPC), ...)
//
// Such an address is "host:port" or, for Unix sockets, "unix:///abs/path",
// "unix:/abs/path", "unix:relative/path" and "unix:@abstract".
//
// With a context dialer grpc-go ignores HTTPS_PROXY. If gRPC keepalive
// parameters are also set, grpc-go overwrites the user timeout of every
// *net.TCPConn with their Timeout; set Pin to prevent that.
func (d *Dialer) DialGRPC(ctx context.Context, addr string) (net.Conn, error) {
	network, address := grpcAddress(addr)
	return d.DialContext(ctx, network, address)
}

// grpcAddress parses an address in the form of grpc-go: after the scheme the
// path is plain, not percent-encoded.
func grpcAddress(addr string) (network, address string) {
	path, isUnix := strings.CutPrefix(addr, "unix:")
	if !isUnix {
		return "tcp", addr
	}
	return "unix", strings.TrimPrefix(path, "//")
}
