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

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/freeport"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// plans are with and without a user timeout, long and short.
func plans(t *testing.T) map[string]syntax.Plan {
	t.Helper()
	nlb, err := align.Path("aws-nlb-tcp")
	require.NoError(t, err)
	return map[string]syntax.Plan{
		"nlb":             planFor(t, align.Request{Path: nlb}),
		"no user timeout": planFor(t, align.Request{Path: nlb, NoUserTimeout: true, LostProbes: 4}),
		"ten seconds":     planFor(t, align.Request{Path: nlb, Detect: 10 * time.Second}),
	}
}

func planFor(t *testing.T, r align.Request) syntax.Plan {
	t.Helper()
	p, err := r.Plan()
	require.NoError(t, err)
	return syntax.Plan{Config: p.Config, Request: r, Heartbeat: p.Heartbeat}
}

// behindBalancer is a plan for a path with a proxy that ends idle HTTP connections after
// 60 s: the client's end is to close them after 58 s, the server's after 65 s.
func behindBalancer(t *testing.T) syntax.Plan {
	t.Helper()
	alb, err := align.Path("aws-alb")
	require.NoError(t, err)
	return planFor(t, align.Request{Path: alb})
}

// behindProxy is a plan for a proxy of one's own that ends idle connections after d.
func behindProxy(t *testing.T, d time.Duration) syntax.Plan {
	t.Helper()
	return planFor(t, align.Request{Path: []align.Profile{{ID: "proxy", Layer: "L7", Timeout: d, Refreshed: platform.No}}})
}

// write writes a plan in the syntax of that name.
func write(t *testing.T, name string, p syntax.Plan) (text string, notes []string) {
	t.Helper()
	format, err := syntax.Lookup(name)
	require.NoError(t, err)
	text, notes, err = format.Write(p)
	require.NoError(t, err)
	return text, notes
}

// withEach runs f for each plan, in the syntax of that name.
func withEach(t *testing.T, name string, f func(t *testing.T, p syntax.Plan, text string)) {
	t.Helper()
	for planName, p := range plans(t) {
		t.Run(planName, func(t *testing.T) {
			text, _ := write(t, name, p)
			f(t, p, text)
		})
	}
}

// holds is what a socket shows that has the plan; programs that cannot set the
// user timeout leave it off.
func holds(t *testing.T, cfg sockopt.Config, userTimeout bool) string {
	t.Helper()
	if !userTimeout {
		cfg.UserTimeout = sockopt.NoUserTimeout
	}
	return kernel.Linux().Effect(kernel.Request(cfg), platform.Settings{}).String()
}

// file writes a file for a program that may run as another user.
func file(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(testkit.Tool(t, name), args...).CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(args, " "), out)
	return string(out)
}

// start runs a program until the test ends.
func start(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	c := exec.Command(testkit.Tool(t, name), args...)
	c.Env = append(os.Environ(), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		c.Wait()
		if t.Failed() {
			t.Logf("%s: %s", name, out.String())
		}
	})
}

// freePort is one that nobody listens on, for a program that is told its port.
func freePort(t *testing.T) int {
	t.Helper()
	port, err := freeport.Find()
	require.NoError(t, err)
	return port
}

// patience is how long a program may take that takes a second: the machine may be busy
// with a hundred others.
const patience = 2 * time.Minute

// wait waits until f.
func wait(t *testing.T, why string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(20 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "did not happen within %s: %s", patience, why)
	}
}

// dial waits for a program to listen.
func dial(t *testing.T, port int) net.Conn {
	t.Helper()
	var conn net.Conn
	wait(t, fmt.Sprintf("something listens on port %d", port), func() bool {
		c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		conn = c
		return err == nil
	})
	t.Cleanup(func() { conn.Close() })
	return conn
}

// requireSettings reads what another program's socket holds: that whose local
// address and peer are these. want is waited for, as a program sets its options one
// after the other.
func requireSettings(t *testing.T, local, peer net.Addr, want string) {
	t.Helper()
	var got string
	started := time.Now()
	wait(t, "the settings "+want, func() bool {
		owners, err := inspect.FindOwners()
		require.NoError(t, err)
		for r, err := range inspect.List(inspect.Filter{Local: []string{local.String()}, Peer: []string{peer.String()}, Owners: owners, Settings: true}) {
			require.NoError(t, err)
			if r.Settings.Known != 0 {
				got = r.Settings.String()
			}
		}
		return got == want || time.Since(started) > 20*time.Second && got != ""
	})
	require.Equal(t, want, got, "%s %s", local, peer)
}

func strictYAML(t *testing.T, text string, to any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	require.NoError(t, d.Decode(to))
}
