// Command keepalive-tls is keepalive with TLS, for keepalive discover --tls. It is a
// program of its own because TLS makes every start of a Go program a tenth slower and
// a third larger, which keepalive ls would pay for.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr, secure)) }

// secure makes the client's side of TLS.
func secure(o cli.TLS) func(context.Context, net.Conn) (net.Conn, error) {
	config := &tls.Config{ServerName: o.ServerName, InsecureSkipVerify: o.Insecure, NextProtos: o.Protocols}
	return func(ctx context.Context, c net.Conn) (net.Conn, error) {
		s := tls.Client(c, config)
		return s, explain(s.HandshakeContext(ctx))
	}
}

// explain says what it means that a handshake failed.
func explain(err error) error {
	var plain tls.RecordHeaderError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &plain):
		return fmt.Errorf("the server does not speak TLS here: its answer begins with %q (%w)", plain.RecordHeader, err)
	case errors.Is(err, io.EOF), sockopt.CauseOf(err) == sockopt.Reset:
		return fmt.Errorf("the server ended the connection in the TLS handshake: it may not speak TLS here (%w)", err)
	}
	return fmt.Errorf("TLS handshake: %w", err)
}
