package enforce_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/bpf/enforce"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/freeport"
)

// TestUnmodifiedPrograms: servers as they are installed have what the policy says on the
// connections that they accept, or what they set themselves where the policy leaves them that.
func TestUnmodifiedPrograms(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	needPermission(t)
	file := func(t *testing.T, name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	const (
		policys = "on idle=51s interval=6s count=4 user-timeout=45s"
		http    = "GET / HTTP/1.0\r\n\r\n"
	)
	programs := map[string]struct {
		start       func(t *testing.T, port int) *exec.Cmd
		says        string // so that it answers
		withDefault string // what its connections have in the mode Default
	}{
		"redis-server": {func(t *testing.T, port int) *exec.Cmd {
			return exec.Command(testkit.Tool(t, "redis-server"), "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
		}, "PING\r\n", "on idle=300s interval=100s count=3 user-timeout=45s"}, // its tcp-keepalive 300
		"nginx": {func(t *testing.T, port int) *exec.Cmd {
			dir := t.TempDir()
			conf := file(t, "nginx.conf", fmt.Sprintf("daemon off; master_process off; pid %s/pid; error_log stderr;\nevents {}\nhttp { access_log off; keepalive_timeout 60s; server { listen 127.0.0.1:%d; return 204; } }", dir, port))
			return exec.Command(testkit.Tool(t, "nginx"), "-p", dir, "-c", conf)
		}, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", policys},
		"haproxy": {func(t *testing.T, port int) *exec.Cmd {
			conf := file(t, "haproxy.cfg", fmt.Sprintf("defaults\n mode http\n timeout client 60s\n timeout connect 1s\n timeout server 60s\nfrontend a\n bind 127.0.0.1:%d\n http-request return status 200\n", port))
			return exec.Command(testkit.Tool(t, "haproxy"), "-db", "-f", conf)
		}, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "on idle=51s interval=6s count=4 user-timeout=off"}, // it sets TCP_USER_TIMEOUT=0 on its listener
		"node": {func(t *testing.T, port int) *exec.Cmd {
			return exec.Command(testkit.Tool(t, "node"), "-e", fmt.Sprintf(`require("net").createServer(c => c.pipe(c)).listen(%d, "127.0.0.1")`, port))
		}, http, policys},
	}
	for _, mode := range []enforce.Mode{enforce.Override, enforce.Default} {
		t.Run(mode.String(), func(t *testing.T) {
			cg := cgroup(t)
			held, err := enforce.Hold(cg, one(enforce.Rule{Mode: mode, Config: config}))
			require.NoError(t, err)
			t.Cleanup(func() { held.Close() })
			for name, program := range programs {
				want := policys
				if mode == enforce.Default {
					want = program.withDefault
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					port, err := freeport.Find()
					require.NoError(t, err)
					cmd := program.start(t, port)
					within(t, cg, cmd)
					testkit.Start(t, cmd)
					address := fmt.Sprintf("127.0.0.1:%d", port)
					var c net.Conn
					testkit.Until(t, name+" listens", func() bool {
						c, err = net.DialTimeout("tcp4", address, time.Second)
						return err == nil
					})
					defer c.Close()
					_, err = c.Write([]byte(program.says))
					require.NoError(t, err)
					require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
					_, err = c.Read(make([]byte, 1))
					require.NoError(t, err)
					assert.Equal(t, want, acceptedBy(t, cmd.Process.Pid, address, c.LocalAddr().String()))
				})
			}
		})
	}
}

// acceptedBy returns the settings of a connection that a process has accepted.
func acceptedBy(t *testing.T, pid int, local, peer string) string {
	t.Helper()
	owners, err := inspect.FindOwners(pid)
	require.NoError(t, err)
	for r, err := range inspect.List(inspect.Filter{Local: []string{local}, Peer: []string{peer}, Owners: owners, Settings: true}) {
		require.NoError(t, err)
		require.NoError(t, r.Unknown)
		require.NotEmpty(t, r.Owners)
		return r.Settings.String()
	}
	t.Fatal("the connection is not listed")
	return ""
}
