package conffile_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// Real programs end a silent connection after the time that is read, although the kernel
// probes it every second. The times rest on a program's timer not being early; how late it
// may be on a busy machine does not matter.
func TestProgramsCloseSo(t *testing.T) {
	t.Parallel()
	app, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { app.Close() })
	go func() {
		for {
			c, err := app.Accept()
			if err != nil {
				return
			}
			go func() { // a server that says nothing, until it is over
				io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	ports := free(t, 3)
	nginx := fmt.Sprintf(`daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
http { access_log off; keepalive_timeout 2s; server { listen 127.0.0.1:%d so_keepalive=1s:1s:9; return 204; } }
`, ports[0])
	haproxy := fmt.Sprintf("defaults\n mode tcp\n option tcpka\n clitcpka-idle 1\n clitcpka-intvl 1\n timeout connect 5s\n timeout client 2s\n timeout server 1m\nlisten a\n bind 127.0.0.1:%d\n server b %s\n", ports[1], app.Addr())
	redis := fmt.Sprintf("port %d\nbind 127.0.0.1\nsave \"\"\ntcp-keepalive 1\ntimeout 2\n", ports[2])
	for _, tt := range []struct {
		program, name, text string
		args                func(path string) []string
		port                any
		first               string // what has to be said before it is silent
	}{
		{"nginx", "nginx.conf", nginx, nginxArgs, ports[0], "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"haproxy", "haproxy.cfg", haproxy, haproxyArgs, ports[1], ""},
		{"redis-server", "redis.conf", redis, redisArgs, ports[2], ""},
	} {
		program := testkit.Tool(t, tt.program)
		doc := one(t, tt.name, tt.text, "")
		require.NoError(t, doc.Err)
		l := doc.Legs[0]
		require.Equal(t, 2*time.Second, l.Closing.After, "%s: %s", l.Name, l.Closing.Text)
		testkit.Start(t, exec.Command(program, tt.args(file(t, tt.name, tt.text))...))
		t.Run(tt.program+" "+l.Name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, tt.port)
			require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
			silent := time.Now()
			if tt.first != "" {
				fmt.Fprint(c, tt.first)
				response, err := http.ReadResponse(bufio.NewReader(c), nil)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
			}
			_, err := c.Read(make([]byte, 1))
			assert.ErrorIs(t, err, io.EOF)
			const early = time.Second // the program counts from when it accepted, which this one may notice late
			assert.Greater(t, time.Since(silent), l.Closing.After-early)
		})
	}
}

func nginxArgs(path string) []string { return []string{"-p", filepath.Dir(path) + "/", "-c", path} }

func haproxyArgs(path string) []string { return []string{"-db", "-f", path} }

func redisArgs(path string) []string { return []string{path} }
