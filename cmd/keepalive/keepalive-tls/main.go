// Command keepalive-tls is keepalive with TLS, for keepalive discover --tls. It is a
// program of its own because TLS makes every start of a Go program a tenth slower and
// a third larger, which keepalive ls would pay for.
package main

import (
	"context"
	"crypto/tls"
	"net"
	"os"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr, secure)) }

// secure makes the client's side of TLS.
func secure(o cli.TLS) func(context.Context, net.Conn) (net.Conn, error) {
	config := &tls.Config{ServerName: o.ServerName, InsecureSkipVerify: o.Insecure, NextProtos: o.Protocols}
	return func(ctx context.Context, c net.Conn) (net.Conn, error) {
		s := tls.Client(c, config)
		return s, s.HandshakeContext(ctx)
	}
}
