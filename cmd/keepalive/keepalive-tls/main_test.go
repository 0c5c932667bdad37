package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/internal/testenv"
)

var quick = []string{"--connections", "4", "--min", "500ms", "--max", "1s"}

func TestDiscoverOverTLS(t *testing.T) {
	t.Parallel()
	heads := make(chan string, 100)
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heads <- r.Proto + " " + r.Method }))
	defer server.Close()
	address := server.Listener.Addr().String()
	discover := func(args ...string) (code int, out, errs string) {
		var stdout, stderr bytes.Buffer
		code = cli.Run(append(append([]string{"discover", address, "--tls", "--mode", "http"}, quick...), args...), &stdout, &stderr, secure)
		return code, stdout.String(), stderr.String()
	}

	code, out, errs := discover("--insecure")
	require.Equal(t, 0, code, errs)
	assert.Regexp(t, `not below 1(\.\d+)?s, the longest that was tried\n`, out)
	require.Len(t, heads, 8, "two for each connection")
	assert.Equal(t, "HTTP/1.1 HEAD", <-heads)

	code, _, errs = discover()
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "none of 4 connections")
	assert.Contains(t, errs, "certificate")

	code, _, errs = discover("--server-name", "example.com") // which it is made out to, by nobody who is known
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "unknown authority")
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
				testenv.Long(t)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			socktest.Serve(t, l, tt.serve)
			var stdout, stderr bytes.Buffer
			code := cli.Run(append([]string{"discover", l.Addr().String(), "--tls", "--mode", "http"}, quick...), &stdout, &stderr, secure)
			assert.Equal(t, 1, code)
			assert.Contains(t, stderr.String(), "none of 4 connections: "+tt.want)
			assert.Empty(t, stdout.String())
		})
	}
}

// TestHandedOver: the program without TLS finds this one beside it.
func TestHandedOver(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	address := server.Listener.Addr().String()
	dir := t.TempDir()
	out, err := exec.Command("go", "build", "-o", dir, "..", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	extension := ""
	if runtime.GOOS == "windows" {
		extension = ".exe"
	}
	args := append([]string{"discover", address, "--tls", "--insecure", "--mode", "http"}, quick...)
	out, err = exec.Command(filepath.Join(dir, "keepalive"+extension), args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Regexp(t, `not below 1(\.\d+)?s`, string(out))

	// Its exit code is passed on.
	c := exec.Command(filepath.Join(dir, "keepalive"+extension), "discover", address, "--tls", "--max", "-1s")
	out, err = c.CombinedOutput()
	assert.Error(t, err)
	assert.Equal(t, 2, c.ProcessState.ExitCode(), "%s", out)

	// Without it, the error says where it comes from.
	require.NoError(t, os.Remove(filepath.Join(dir, "keepalive-tls"+extension)))
	c = exec.Command(filepath.Join(dir, "keepalive"+extension), args...)
	c.Env = append(os.Environ(), "PATH=")
	out, err = c.CombinedOutput()
	assert.Error(t, err)
	assert.Equal(t, 1, c.ProcessState.ExitCode())
	assert.Contains(t, string(out), "go install github.com/tcpkeepalive/keepalive/cmd/keepalive/keepalive-tls@latest")
}
