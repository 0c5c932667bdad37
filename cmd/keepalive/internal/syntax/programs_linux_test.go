package syntax_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// One program for all plans: each that is linked takes a second.
func TestGo(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	var b, want strings.Builder
	b.WriteString(`package main

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

func main() {
`)
	for _, p := range plans(t) {
		text, _ := write(t, "go", p)
		fmt.Fprintf(&b, "{\n%sfmt.Println(config, time.Duration(0))\n}\n", text)
		fmt.Fprintln(&want, p.Config, time.Duration(0))
	}
	b.WriteString("}\n")
	assert.Equal(t, want.String(), run(t, "go", "run", file(t, "main.go", b.String())))
}

func TestNginx(t *testing.T) {
	testkit.Root(t)
	withEach(t, "nginx", func(t *testing.T, p syntax.Plan, text string) {
		port := freePort(t)
		text = strings.Replace(text, "listen 80 ", fmt.Sprintf("listen 127.0.0.1:%d ", port), 1)
		path := file(t, "nginx.conf", "daemon off; master_process off; pid nginx.pid; error_log stderr;\n"+
			"events {}\nhttp { access_log off;\n"+strings.Replace(text, "}\n", "return 204;\n}\n", 1)+"}\n")
		dir := filepath.Dir(path) + "/"
		run(t, "nginx", "-t", "-p", dir, "-c", path)
		start(t, nil, "nginx", "-p", dir, "-c", path)
		c := dial(t, port)
		requireSettings(t, c.RemoteAddr(), c.LocalAddr(), holds(t, p.Config, false))
	})
}

func TestHAProxy(t *testing.T) {
	testkit.Root(t)
	withEach(t, "haproxy", func(t *testing.T, p syntax.Plan, text string) {
		server, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		defer server.Close()
		port := freePort(t)
		text = strings.Replace(text, "bind :8080", fmt.Sprintf("bind 127.0.0.1:%d", port), 1)
		text = strings.Replace(text, "192.0.2.1:8080", server.Addr().String(), 1)
		text = strings.Replace(text, "backend servers", "    default_backend servers\nbackend servers", 1)
		path := file(t, "haproxy.cfg", "defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 1m\n    timeout server 1m\n"+text)
		assert.NotContains(t, run(t, "haproxy", "-c", "-f", path), "[ALERT]")
		start(t, nil, "haproxy", "-db", "-f", path)
		c := dial(t, port)
		behind, err := server.Accept()
		require.NoError(t, err)
		defer behind.Close()
		requireSettings(t, c.RemoteAddr(), c.LocalAddr(), holds(t, p.Config, true))
		requireSettings(t, behind.RemoteAddr(), behind.LocalAddr(), holds(t, p.Config, true))
	})
}

// The note says what redis-server makes of the one value it takes, and that has to
// survive too.
func TestRedis(t *testing.T) {
	testkit.Root(t)
	withEach(t, "redis", func(t *testing.T, p syntax.Plan, text string) {
		port := freePort(t)
		path := file(t, "redis.conf", fmt.Sprintf("port %d\nbind 127.0.0.1\nsave \"\"\n", port)+text)
		start(t, nil, "redis-server", path)
		c := dial(t, port)
		var value int64
		_, err := fmt.Sscanf(text[strings.Index(text, "\ntcp-keepalive"):], "\ntcp-keepalive %d", &value)
		require.NoError(t, err)
		made := sockopt.Config{
			Idle: time.Duration(value) * time.Second, Interval: time.Duration(max(1, value/3)) * time.Second, Count: 3,
			UserTimeout: sockopt.NoUserTimeout,
		}
		requireSettings(t, c.RemoteAddr(), c.LocalAddr(), holds(t, made, false))

		r := p.Request
		r.LostProbes = min(r.LostProbes, 2)
		a, err := r.AssessConfig(made, platform.Settings{})
		require.NoError(t, err)
		assert.Equal(t, align.Survives, a.Verdict, a.Reason)
		if r.Detect > 0 {
			assert.LessOrEqual(t, a.Detection.Idle.Latest, r.Detect)
		}
		comments := oneLine(text)
		assert.Contains(t, comments, fmt.Sprintf("this is %ds, %ds, 3", value, max(1, value/3)))
		assert.Equal(t, p.Config.Count > 3, strings.Contains(comments, "no value of tcp-keepalive"))
	})
}

func TestSystemd(t *testing.T) {
	withEach(t, "systemd", func(t *testing.T, p syntax.Plan, text string) {
		path := file(t, "keepalive-test.socket", "[Socket]\nListenStream=127.0.0.1:9\n"+text)
		dir := filepath.Dir(path)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "keepalive-test.service"), []byte("[Service]\nExecStart=/bin/true\n"), 0o644))
		verify := func() (string, error) {
			c := exec.Command(testkit.Tool(t, "systemd-analyze"), "verify", "--man=no", path)
			c.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
			out, err := c.CombinedOutput()
			return string(out), err
		}
		out, err := verify()
		require.NoError(t, err, out)
		assert.NotContains(t, out, "keepalive-test", "no word about our unit")

		broken := strings.Replace(text, "KeepAliveTimeSec=", "KeepAliveTimeSec=x", 1)
		require.NoError(t, os.WriteFile(path, []byte("[Socket]\nListenStream=127.0.0.1:9\n"+broken), 0o644))
		out, _ = verify()
		assert.Contains(t, out, "keepalive-test", "a mistake is noticed")
	})
}

// postgresBinary is where Debian puts it.
func postgresBinary(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	require.NoError(t, err)
	testkit.Need(t, len(found) > 0, "needs the program postgres")
	return found[len(found)-1]
}

func TestPostgreSQL(t *testing.T) {
	testkit.Root(t)
	postgres := postgresBinary(t)
	withEach(t, "postgresql", func(t *testing.T, p syntax.Plan, text string) {
		path := file(t, "postgresql.conf", text)
		require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "postgresql.auto.conf"), nil, 0o644)) // or it says that it is missing
		for name, want := range map[string]int64{
			"tcp_keepalives_idle":     int64(p.Config.Idle / time.Second),
			"tcp_keepalives_interval": int64(p.Config.Interval / time.Second),
			"tcp_keepalives_count":    int64(p.Config.Count),
			"tcp_user_timeout":        max(0, int64(p.Config.UserTimeout/time.Millisecond)),
		} {
			out := run(t, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
				postgres, "-C", name, "-D", filepath.Dir(path), "-c", "config_file="+path)
			assert.Equal(t, fmt.Sprint(want), strings.TrimSpace(out), name)
		}
	})
}

// A real psql tries to talk to us.
func TestLibpq(t *testing.T) {
	testkit.Root(t)
	withEach(t, "libpq", func(t *testing.T, p syntax.Plan, text string) {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		uri := strings.Replace(strings.TrimSpace(text), "localhost", l.Addr().String(), 1)
		start(t, []string{"PGSSLMODE=disable", "PGGSSENCMODE=disable"}, "psql", "-w", "-X", uri, "-c", "select 1")
		c, err := l.Accept()
		require.NoError(t, err)
		defer c.Close()
		requireSettings(t, c.RemoteAddr(), c.LocalAddr(), holds(t, p.Config, true))
	})
}

// Envoy's numbers, set on a real socket as Envoy would, are the plan.
func TestEnvoy(t *testing.T) {
	type rawOption struct {
		Description string
		Level       int
		Name        int
		IntValue    int `yaml:"int_value"`
		State       string
	}
	withEach(t, "envoy", func(t *testing.T, p syntax.Plan, text string) {
		var config struct {
			StaticResources struct {
				Listeners []struct {
					Name          string
					SocketOptions []rawOption `yaml:"socket_options"`
					FilterChains  any         `yaml:"filter_chains"` // see TestIstioAndEnvoyTypes
				}
				Clusters []struct {
					Name                      string
					UpstreamConnectionOptions struct {
						TCPKeepalive struct {
							Time     int `yaml:"keepalive_time"`
							Interval int `yaml:"keepalive_interval"`
							Probes   int `yaml:"keepalive_probes"`
						} `yaml:"tcp_keepalive"`
					} `yaml:"upstream_connection_options"`
					UpstreamBindConfig struct {
						SocketOptions []rawOption `yaml:"socket_options"`
					} `yaml:"upstream_bind_config"`
					Options any `yaml:"typed_extension_protocol_options"`
				}
			} `yaml:"static_resources"`
		}
		strictYAML(t, text, &config)
		client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		raw, err := client.SyscallConn()
		require.NoError(t, err)
		set := func(options []rawOption) {
			require.NoError(t, raw.Control(func(fd uintptr) {
				for _, o := range options {
					require.Equal(t, "STATE_PREBIND", o.State)
					require.NoError(t, syscall.SetsockoptInt(int(fd), o.Level, o.Name, o.IntValue), o.Description)
				}
			}))
		}
		assert.Equal(t, 2, strings.Count(text, "idle_timeout: 0s # never\n"), "nothing on these paths ends idle connections")
		set(config.StaticResources.Listeners[0].SocketOptions)
		got, err := sockopt.Get(client)
		require.NoError(t, err)
		assert.Equal(t, holds(t, p.Config, true), got.String())

		cluster := config.StaticResources.Clusters[0]
		keepalive := cluster.UpstreamConnectionOptions.TCPKeepalive
		assert.Equal(t, int(p.Config.Idle/time.Second), keepalive.Time)
		assert.Equal(t, int(p.Config.Interval/time.Second), keepalive.Interval)
		assert.Equal(t, p.Config.Count, keepalive.Probes)
		assert.Equal(t, p.Config.UserTimeout > 0, len(cluster.UpstreamBindConfig.SocketOptions) == 1)
		set(cluster.UpstreamBindConfig.SocketOptions)
	})
}

// A real program with libkeepalive: bash, which opens connections by itself.
func TestEnv(t *testing.T) {
	testkit.Root(t)
	_, err := os.Stat("/usr/lib/libkeepalive.so")
	testkit.Need(t, err == nil, "needs libkeepalive (Debian: libkeepalive0)")
	withEach(t, "env", func(t *testing.T, p syntax.Plan, text string) {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		start(t, strings.Fields(text), "bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d; read -u 3", l.Addr().(*net.TCPAddr).Port))
		c, err := l.Accept()
		require.NoError(t, err)
		defer c.Close()
		requireSettings(t, c.RemoteAddr(), c.LocalAddr(), holds(t, p.Config, false))
	})
}
