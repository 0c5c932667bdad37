package discover

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// handshake returns what begins TLS on a connection, for Secure of discover.Options.
func handshake(config *tls.Config) func(context.Context, net.Conn) (net.Conn, error) {
	return func(ctx context.Context, c net.Conn) (net.Conn, error) {
		s := tls.Client(c, config)
		return s, explainHandshake(s.HandshakeContext(ctx))
	}
}

// explainHandshake says what it means that a handshake failed.
func explainHandshake(err error) error {
	var plain tls.RecordHeaderError
	var name x509.HostnameError
	var verification *tls.CertificateVerificationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &plain):
		return fmt.Errorf("the server does not speak TLS here: its answer begins with %q (%w)", plain.RecordHeader, err)
	case errors.As(err, &name):
		return fmt.Errorf("TLS handshake: %w; --server-name expects another name, --insecure takes any certificate", err)
	case errors.As(err, &verification):
		return fmt.Errorf("TLS handshake: %w; --insecure takes any certificate", err)
	case errors.Is(err, io.EOF), sockopt.CauseOf(err) == sockopt.Reset:
		return fmt.Errorf("the server ended the connection in the TLS handshake: it may not speak TLS here (%w)", err)
	}
	return fmt.Errorf("TLS handshake: %w", err)
}
