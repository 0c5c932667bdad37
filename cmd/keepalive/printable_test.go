package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

// hostileTLS is a server whose certificate is for a hostile name.
func hostileTLS(t *testing.T) (address string) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"a\x1b[2J\x7f.example"}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	require.NoError(t, err)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: private}}})
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				c.(*tls.Conn).Handshake()
				c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// The peer has a part in the errors about its certificate.
func TestErrorsOfPeersAreMadePrintable(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	code := cli.Run(commands, []string{"discover", hostileTLS(t), "--tls", "--server-name", "localhost.example", "--connections", "4", "--min", "1s", "--max", "2s"}, &out, &errs)
	assert.NotEqual(t, exit.OK, code)
	assert.Contains(t, errs.String(), ".example")
	assert.Empty(t, clitest.Control(out.String()+errs.String()), "%q", errs.String())

	errs.Reset()
	exit.Print(&errs, exit.Join(errors.New(clitest.Hostile), errors.New("two\nlines")))
	assert.Equal(t, "keepalive: a?[2Jb?c?2Jd?e?f?\nkeepalive: two\nlines\n", errs.String())
}

// No output goes around record.NewEncoder.
func TestJSONIsWrittenInOneWay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("internal/*/*.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if file != filepath.Join("internal", "record", "encoder.go") && !strings.Contains(file, "clitest") && !strings.HasSuffix(file, "_test.go") {
			assert.NotRegexp(t, `json\.(NewEncoder|Marshal)`, string(text), "%s: use record.NewEncoder", file)
		}
	}
}
