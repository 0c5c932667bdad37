package align_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// idleTimeout is that of the servers below. What has to come in time comes ten times as
// often, so that a busy machine may delay it.
const idleTimeout = 2 * time.Second

// TestPINGsAndIdleTimeouts is why a plan does not offer HTTP/2 PINGs where HTTP ends, or
// may end: what real servers do with them. A request keeps a connection everywhere, a PING
// where a proxy handles the connection as bytes, and elsewhere as the server likes it.
func TestPINGsAndIdleTimeouts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule      string
		start     func(t *testing.T, dir string) string // returns the path of a Unix socket
		pingsKeep bool
	}{
		{"net/http", goServer, false},
		{"nginx", nginxServer, false},
		{"HAProxy, mode tcp", haproxyServer("tcp", ""), true},
		{"HAProxy, mode http", haproxyServer("http", ""), true},
		{"HAProxy, mode http, timeout http-keep-alive", haproxyServer("http", "timeout http-keep-alive 2s"), false},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			dir, err := os.MkdirTemp("", "ping") // t.TempDir may be too long for a Unix socket
			require.NoError(t, err)
			t.Cleanup(func() { os.RemoveAll(dir) })
			address := tt.start(t, dir)
			lives := map[string]bool{"nothing": false, "PINGs": tt.pingsKeep, "requests": true}
			done := make(chan func())
			for what, expected := range lives {
				c := dialH2(t, address)
				go func() {
					got := c.livesWith(what, expected)
					done <- func() { assert.Equal(t, expected, got, "with %s it lives on", what) }
				}()
			}
			for range lives {
				(<-done)()
			}
		})
	}
}

// An h2 is a connection of HTTP/2, without TLS, as RFC 9113 has it.
type h2 struct {
	net.Conn
	stream uint32
	ended  chan struct{} // closed when the server has said that it ends the connection
}

const (
	frameHeaders, frameSettings, framePing, frameGoAway = 1, 4, 6, 7
	flagAck, flagEndStream, flagEndHeaders              = 1, 1, 4
)

func dialH2(t *testing.T, address string) *h2 {
	t.Helper()
	var conn net.Conn
	testkit.Until(t, "the server listens", func() (ok bool) {
		var err error
		conn, err = net.Dial("unix", address)
		return err == nil
	})
	c := &h2{Conn: conn, stream: 1, ended: make(chan struct{})}
	t.Cleanup(func() { conn.Close() })
	_, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	require.NoError(t, err)
	require.NoError(t, c.send(frameSettings, 0, 0, nil))
	require.NoError(t, c.request())
	answered := make(chan struct{})
	go c.read(answered)
	select {
	case <-answered:
	case <-time.After(20 * time.Second):
		t.Fatal("no answer to the first request")
	}
	return c
}

func (c *h2) send(kind, flags byte, stream uint32, payload []byte) error {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = binary.BigEndian.AppendUint32(append(head, flags), stream)
	_, err := c.Write(append(head, payload...))
	return err
}

// request sends GET / to the authority "x", as RFC 7541's static table writes it.
func (c *h2) request() error {
	err := c.send(frameHeaders, flagEndStream|flagEndHeaders, c.stream, []byte{0x82, 0x86, 0x84, 0x41, 1, 'x'})
	c.stream += 2
	return err
}

// read reads frames until the connection ends.
func (c *h2) read(answered chan struct{}) {
	defer close(c.ended)
	head := make([]byte, 9)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head)>>8)); err != nil {
			return
		}
		switch kind, flags := head[3], head[4]; {
		case kind == frameGoAway:
			return
		case kind == frameSettings && flags&flagAck == 0:
			c.send(frameSettings, flagAck, 0, nil)
		case kind == frameHeaders && answered != nil:
			close(answered)
			answered = nil
		}
	}
}

// livesWith returns whether the connection outlives its timeout, if that is sent on it. A
// timeout that is late on a busy machine is no sign of life: where the connection should
// end, it is waited for.
func (c *h2) livesWith(what string, expected bool) bool {
	wait := 10 * idleTimeout
	if expected {
		wait = 2 * idleTimeout
	}
	end := time.After(wait)
	tick := time.NewTicker(idleTimeout / 10)
	defer tick.Stop()
	for {
		select {
		case <-c.ended:
			return false
		case <-end:
			return true
		case <-tick.C:
			switch what { // that a write fails is known by the end
			case "PINGs":
				c.send(framePing, 0, 0, make([]byte, 8))
			case "requests":
				c.request()
			}
		}
	}
}

func goServer(t *testing.T, dir string) string {
	return startGo(t, filepath.Join(dir, "go"), idleTimeout)
}

func startGo(t *testing.T, address string, idle time.Duration) string {
	l, err := net.Listen("unix", address)
	require.NoError(t, err)
	s := &http.Server{
		Handler:     http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		IdleTimeout: idle, Protocols: new(http.Protocols),
	}
	s.Protocols.SetUnencryptedHTTP2(true)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return address
}

func nginxServer(t *testing.T, dir string) string {
	testkit.Need(t, !lab.InUserNamespace(), "needs to give a folder of nginx's to another user")
	program := "/usr/sbin/nginx" // not on everybody's PATH
	if _, err := os.Stat(program); err != nil {
		program = testkit.Tool(t, "nginx")
	}
	address := filepath.Join(dir, "nginx")
	start(t, filepath.Join(dir, "conf"), fmt.Sprintf(`daemon off; master_process off; error_log stderr; pid %[1]s/pid;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3; uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
	keepalive_timeout %[2]d;
	server { listen unix:%[3]s http2; return 204; }
}
`, dir, int(idleTimeout.Seconds()), address), program, "-p", dir, "-c", filepath.Join(dir, "conf"))
	return address
}

// haproxyServer is HAProxy before a server that has no timeout.
func haproxyServer(mode, setting string) func(t *testing.T, dir string) string {
	return func(t *testing.T, dir string) string {
		program := "/usr/sbin/haproxy"
		if _, err := os.Stat(program); err != nil {
			program = testkit.Tool(t, "haproxy")
		}
		backend := startGo(t, filepath.Join(dir, "go"), 0)
		address, proto := filepath.Join(dir, "haproxy"), ""
		if mode == "http" {
			proto = " proto h2"
		}
		start(t, filepath.Join(dir, "conf"), fmt.Sprintf(`defaults
	mode %[1]s
	timeout connect 10s
	timeout client %[2]ds
	timeout server %[2]ds
	%[6]s
listen l
	bind unix@%[3]s%[4]s
	server s unix@%[5]s%[4]s
`, mode, int(idleTimeout.Seconds()), address, proto, backend, setting), program, "-f", filepath.Join(dir, "conf"))
		return address
	}
}

func start(t *testing.T, file, conf, program string, args ...string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o644))
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	testkit.Start(t, cmd)
}
