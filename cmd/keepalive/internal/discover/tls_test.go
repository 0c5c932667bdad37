package discover

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// discoverTLS looks at a server in less than two seconds.
func discoverTLS(address string, args ...string) (code int, out, errs string) {
	return command(append([]string{"discover", address, "--tls", "--mode", "http", "--connections", "4", "--min", "500ms", "--max", "1s"}, args...)...)
}

func TestDiscoverOverTLS(t *testing.T) {
	t.Parallel()
	heads := make(chan string, 100)
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heads <- r.Proto + " " + r.Method }))
	defer server.Close()
	address := server.Listener.Addr().String()

	code, out, errs := discoverTLS(address, "--insecure")
	require.Equal(t, exit.OK, code, errs)
	assert.Regexp(t, `not below 1(\.\d+)?s, the longest that was tried\n`, out)
	require.Len(t, heads, 8, "two for each connection")
	assert.Equal(t, "HTTP/1.1 HEAD", <-heads)

	code, _, errs = discoverTLS(address)
	assert.Equal(t, exit.Problems, code)
	assert.Contains(t, errs, "none of 4 connections")
	assert.Contains(t, errs, "unknown authority; --insecure takes any certificate")

	code, _, errs = discoverTLS(address, "--server-name", "example.com") // which it is made out to, by nobody who is known
	assert.Equal(t, exit.Problems, code)
	assert.Contains(t, errs, "unknown authority")
}

// TestTheNameOfACertificate: what to do about another one is said.
func TestTheNameOfACertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = handshake(&tls.Config{RootCAs: roots, ServerName: "db.internal"})(t.Context(), c)
	assert.ErrorContains(t, err, "not db.internal; --server-name expects another name, --insecure takes any certificate")
}

// TestNoTLSThere: what the server did instead is said.
func TestNoTLSThere(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"an HTTP server": {func(c net.Conn) {
			c.Read(make([]byte, 1000))
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}, `the server does not speak TLS here: its answer begins with "HTTP/"`},
		"one that greets": {func(c net.Conn) {
			io.WriteString(c, "220 mail ready\r\n")
			io.Copy(io.Discard, c)
		}, `the server does not speak TLS here: its answer begins with "220 m"`},
		"one that closes":                {func(c net.Conn) { c.Read(make([]byte, 1000)) }, "the server ended the connection in the TLS handshake"},
		"one that sends back what comes": {func(c net.Conn) { io.Copy(c, c) }, "TLS handshake: "},
		"one that is silent":             {func(c net.Conn) { io.Copy(io.Discard, c) }, "the handshake of a new connection was not answered within 10s"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(what, "silent") {
				testkit.Long(t)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			testkit.Serve(t, l, tt.serve)
			code, out, errs := discoverTLS(l.Addr().String())
			assert.Equal(t, exit.Problems, code)
			assert.Contains(t, errs, "none of 4 connections: "+tt.want)
			assert.Empty(t, out)
		})
	}
}
