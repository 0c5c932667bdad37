package cli

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/inspect"
)

// hostile clears the screen of who lists it, in several ways: ESC, DEL, CSI as
// one character of Latin 1, a right-to-left override, a tag beyond 16 bits, and
// a byte that is no UTF-8.
const hostile = "a\x1b[2Jb\x7fc\u009b2Jd\u202ee\U000e0041f\xff"

// control finds what a terminal might obey.
func control(s string) string {
	for _, r := range s {
		if r != '\n' && shown(r) != r {
			return string(r)
		}
	}
	return ""
}

// A process may have any name, also one that a terminal takes for commands.
func TestNamesOfProcessesAreMadePrintable(t *testing.T) {
	t.Parallel()
	r := watched(1, func(r *row) { r.Owners = []inspect.Owner{{PID: 1, FD: 2, Process: hostile}, {PID: 3}} })
	assert.Equal(t, "a?[2Jb?c?2Jd?e?f?[1] fd 2 +1", processCell(&r))
	r.device = hostile
	for _, text := range cellsOf(columns, &r) {
		assert.Empty(t, control(text), "%q", text)
	}
}

func TestJSONIsText(t *testing.T) {
	t.Parallel()
	r := watched(1, func(r *row) {
		r.device, r.Owners = hostile, []inspect.Owner{{PID: 1, FD: 2, Process: hostile + "Käse"}}
	})
	var out bytes.Buffer
	require.NoError(t, newJSON(&out).Encode(r.record()))
	assert.Empty(t, control(out.String()), "%q", out.String())
	assert.Contains(t, out.String(), `\u009b2J`)
	assert.Contains(t, out.String(), `\udb40\udc41`)
	assert.Contains(t, out.String(), "Käse")
	var back record
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	assert.Equal(t, "a\x1b[2Jb\x7fc\u009b2Jd\u202ee\U000e0041f\ufffdKäse", back.Processes[0].Name, "nothing but the invalid byte is lost")
}

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
	code := Run([]string{"discover", hostileTLS(t), "--tls", "--server-name", "localhost.example", "--connections", "4", "--min", "1s", "--max", "2s"}, &out, &errs)
	assert.NotEqual(t, exitOK, code)
	assert.Contains(t, errs.String(), ".example")
	assert.Empty(t, control(out.String()+errs.String()), "%q", errs.String())

	errs.Reset()
	printError(&errs, several(errors.New(hostile), errors.New("two\nlines")))
	assert.Equal(t, "keepalive: a?[2Jb?c?2Jd?e?f?\nkeepalive: two\nlines\n", errs.String())
}

// No output goes around newJSON.
func TestJSONIsWrittenInOneWay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if file != "printable.go" && !strings.HasSuffix(file, "_test.go") {
			assert.NotRegexp(t, `json\.(NewEncoder|Marshal)`, string(text), "%s: use newJSON", file)
		}
	}
}
