package syntax_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A real nginx at both ends of a path whose proxy closes after 3 s: towards the server
// behind it, it closes an idle connection before that; for its client, it keeps one for 8 s.
func TestNginxIdleTimes(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	testkit.Root(t)
	text, _ := write(t, "nginx", behindProxy(t, 3*time.Second))
	closed := make(chan time.Time, 10)
	server := &http.Server{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed {
				closed <- time.Now()
			}
		},
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	port := freePort(t)
	text = strings.Replace(text, "listen 80 ", fmt.Sprintf("listen 127.0.0.1:%d ", port), 1)
	text = strings.Replace(text, "192.0.2.1:8080", l.Addr().String(), 1)
	path := file(t, "nginx.conf", "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {}\nhttp { access_log off;\n"+text+"}\n")
	start(t, nil, "nginx", "-p", filepath.Dir(path)+"/", "-c", path)
	c := dial(t, port)
	_, err = fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	buffer := make([]byte, 4096)
	_, err = c.Read(buffer)
	require.NoError(t, err)
	asked := time.Now()
	c.SetReadDeadline(asked.Add(time.Minute))
	_, err = c.Read(buffer)
	assert.ErrorContains(t, err, "EOF")
	kept := time.Since(asked)
	assert.Greater(t, kept, 7*time.Second, "8 s for the client, less what the machine was busy with after it")
	select {
	case at := <-closed:
		assert.Less(t, at.Sub(asked), kept, "1 s towards the server")
	default:
		t.Error("nginx keeps an idle connection to the server")
	}
}

// haproxy takes the keywords of HTTP without a complaint.
func TestHAProxyIdleTimes(t *testing.T) {
	t.Parallel()
	text, _ := write(t, "haproxy", behindBalancer(t))
	text = strings.Replace(text, "backend servers", "    default_backend servers\nbackend servers", 1)
	assert.Contains(t, text, "timeout http-keep-alive 65s")
	path := file(t, "haproxy.cfg", "defaults\n    mode http\n    timeout connect 5s\n    timeout client 1m\n    timeout server 1m\n"+text)
	out := run(t, "haproxy", "-c", "-f", path)
	assert.NotContains(t, out, "ALERT")
	assert.NotContains(t, out, "WARNING")
}

var caddyVersion = regexp.MustCompile(`^v?2\.(\d+)`)

// A real Caddy reads the file; one before 2.11 does without the two lines that the text
// says are newer.
func TestCaddy(t *testing.T) {
	t.Parallel()
	version := caddyVersion.FindStringSubmatch(run(t, "caddy", "version"))
	require.Len(t, version, 2)
	text, _ := write(t, "caddy", behindBalancer(t))
	old := len(version[1]) < 2 || version[1] < "11"
	if old {
		assert.Contains(t, oneLine(text), "keepalive_idle and keepalive_count exist since Caddy 2.11 (not checked here)")
		text = regexp.MustCompile(`\t\tkeepalive_(idle|count) \d+s?\n`).ReplaceAllString(text, "")
	}
	path := file(t, "Caddyfile", text+":8080 {\n\treverse_proxy 127.0.0.1:1 {\n\t\ttransport http { \n\t\t\tkeepalive 58s\n\t\t}\n\t}\n}\n")
	var config struct {
		Apps struct {
			HTTP struct {
				Servers map[string]struct {
					IdleTimeout       time.Duration `json:"idle_timeout"`
					KeepaliveIdle     time.Duration `json:"keepalive_idle"`
					KeepaliveInterval time.Duration `json:"keepalive_interval"`
					KeepaliveCount    int           `json:"keepalive_count"`
				}
			}
		}
	}
	out, err := exec.Command("caddy", "adapt", "--config", path, "--adapter", "caddyfile").Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &config), string(out))
	server := config.Apps.HTTP.Servers["srv0"]
	cfg := behindBalancer(t).Config
	assert.Equal(t, 65*time.Second, server.IdleTimeout)
	assert.Equal(t, cfg.Interval, server.KeepaliveInterval)
	if !old {
		assert.Equal(t, cfg.Idle, server.KeepaliveIdle)
		assert.Equal(t, cfg.Count, server.KeepaliveCount)
	}

	broken := strings.Replace(text, "\tkeepalive_interval ", "\tkeepalive_intervall ", 1)
	assert.Error(t, exec.Command("caddy", "adapt", "--config", file(t, "Caddyfile", broken), "--adapter", "caddyfile").Run(), "a mistake is noticed")
}

// Istio's and Envoy's own types read what is written for them: no field is unknown, and
// no value of the wrong type. The module with these types takes half a minute to compile.
func TestIstioAndEnvoyTypes(t *testing.T) {
	testkit.Long(t)
	read := func(text string) (string, error) {
		c := exec.Command(testkit.Tool(t, "go"), "run", "-C", "apis", ".")
		c.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		c.Stdin = strings.NewReader(text)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	for _, name := range []string{"istio", "envoy"} {
		all := plans(t)
		all["balancer"] = behindBalancer(t)
		for planName, p := range all {
			text, _ := write(t, name, p)
			out, err := read(text)
			require.NoError(t, err, "%s, %s: %s", name, planName, out)
			if planName != "balancer" {
				continue
			}
			assert.Contains(t, out, `"idleTimeout":"58s"`, "the client's end")
			assert.Contains(t, out, `"idleTimeout":"65s"`, "the server's end")
			out, err = read(strings.Replace(text, "idle_timeout:", "idle_timeouts:", 1))
			require.Error(t, err)
			assert.Contains(t, out, `unknown field "idle_timeouts"`, "a mistake is noticed")
		}
	}
}
