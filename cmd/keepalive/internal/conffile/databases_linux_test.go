package conffile_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
)

func TestRedisDoesSo(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	port := free(t, 1)[0]
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\nsave \"\"\n", port)
	path := file(t, "redis.conf", text+"TCP-Keepalive \"60\"\n")
	testkit.Start(t, exec.Command(testkit.Tool(t, "redis-server"), path))
	first := dial(t, port)
	for _, value := range []string{`"60"`, "2", "0", "40001"} {
		doc := one(t, "redis.conf", text+"TCP-KeepAlive "+value, "")
		require.Len(t, doc.Legs, 1)
		if value != `"60"` { // which is in the file
			fmt.Fprintf(first, "CONFIG SET tcp-keepalive %s\r\n", value)
			answer, err := bufio.NewReader(first).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "+OK\r\n", answer)
		}
		c := dial(t, port)
		settles(t, c.RemoteAddr(), c.LocalAddr(), holds(t, doc.Legs[0]), value)
	}
}

// A real psql tries to talk to us, or does not even connect.
func TestLibpqDoesSo(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	psql := testkit.Tool(t, "psql")
	for _, conninfo := range []string{
		"", "keepalives=0 keepalives_idle=99999", "keepalives_idle=60 keepalives_interval=' 10 ' keepalives_count=\\3 tcp_user_timeout=90000",
		"tcp_user_timeout=0", "tcp_user_timeout=-3", "keepalives=2", "keepalives_idle=60 keepalives_idle=70",
		"keepalives_idle=0", "keepalives_idle=-5", "keepalives_idle=40001", "keepalives_count=128", "keepalives=yes",
		"keepalives_idle=60s", "keepalives_idle=''", "keepalives_idel=60", "tcp_user_timeout=3000000000",
		"tcp_user_timout=3000", "sslmod=disable", "authtype=x", "target_session_attrs=any connect_timeout=9",
	} {
		t.Run(conninfo, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			host := fmt.Sprintf("host=127.0.0.1 port=%d user=a sslmode=disable gssencmode=disable ", l.Addr().(*net.TCPAddr).Port)
			doc := one(t, "dsn", host+conninfo, "libpq")
			require.NoError(t, doc.Err)
			refused := false
			for _, r := range doc.All() {
				refused = refused || strings.Contains(r.Text, "does not connect")
			}
			cmd := exec.Command("env", "PGCONNECT_TIMEOUT=10", psql, "-w", "-X", host+conninfo, "-c", "select 1")
			stderr, err := cmd.StderrPipe()
			require.NoError(t, err)
			testkit.Start(t, cmd)
			if refused {
				said, _ := bufio.NewReader(stderr).ReadString('\n')
				assert.Regexp(t, `setsockopt|invalid`, said)
				return
			}
			c, err := l.Accept()
			require.NoError(t, err)
			defer c.Close()
			var leg conffile.Leg // on, and all inherited, if nothing is said
			if len(doc.Legs) > 0 {
				leg = doc.Legs[0]
			}
			settles(t, c.RemoteAddr(), c.LocalAddr(), holds(t, leg), conninfo)
		})
	}
}

// postgresBinary is where Debian puts it.
func postgresBinary(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	require.NoError(t, err)
	testkit.Need(t, len(found) > 0, "needs the program "+name)
	return found[len(found)-1]
}

// The server's own parser has the same numbers, and refuses the same values.
func TestPostgreSQLReadsSo(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	postgres := postgresBinary(t, "postgres")
	for _, line := range []string{
		"tcp_keepalives_idle = 60", "tcp_keepalives_idle = 1min", "tcp_keepalives_idle '2 min' # c", "tcp_keepalives_idle = '60000ms'",
		"tcp_keepalives_idle = 1.6", "tcp_keepalives_idle = 0x3c", "TCP_Keepalives_Idle=70", "tcp_user_timeout = 15s",
		"tcp_user_timeout = 500us", "tcp_user_timeout = '1.5min'", "tcp_keepalives_interval = 100ms", "tcp_keepalives_count = 20",
		"tcp_keepalives_idle = -1", "tcp_keepalives_idle = 60sec", "tcp_keepalives_count = '3s'", "tcp_user_timeout = 3000000000",
		"tcp_keepalives_idle = 1.5min", "tcp_keepalives_idle = '60''",
	} {
		name := strings.ToLower(regexp.MustCompile(`^\w+`).FindString(line))
		option := map[string]platform.Option{"tcp_keepalives_idle": platform.Idle, "tcp_keepalives_interval": platform.Interval, "tcp_keepalives_count": platform.Count, "tcp_user_timeout": platform.UserTimeout}[name]
		path := file(t, "postgresql.conf", line+"\n")
		require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "postgresql.auto.conf"), nil, 0o644)) // or it says that it is missing
		out, ok := run(t, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
			postgres, "-C", name, "-D", filepath.Dir(path), "-c", "config_file="+path)
		doc := one(t, "postgresql.conf", line, "")
		if !ok {
			refuses := doc.Err != nil
			for _, r := range doc.All() {
				refuses = refuses || strings.Contains(r.Text, "the server does not start")
			}
			assert.True(t, refuses, "%s: %s", line, out)
			continue
		}
		require.NoError(t, doc.Err, line)
		got := int64(0)
		for _, s := range doc.Legs[0].Settings {
			if s.Option == option && s.Line > 0 {
				v, _ := kernel.Linux().Effect(kernel.Request(doc.Legs[0].Config), platform.Settings{}).Lookup(option)
				unit := int64(kernel.Linux().Spec(option).Unit)
				got = v / max(unit, 1)
			}
		}
		assert.Equal(t, strings.TrimSpace(out), fmt.Sprint(got), line)
	}
}

// A real server sets what it was given, and goes on from what the kernel refuses.
func TestPostgreSQLDoesSo(t *testing.T) {
	testkit.Long(t)
	testkit.Root(t)
	t.Parallel()
	postgres, initdb := postgresBinary(t, "postgres"), postgresBinary(t, "initdb")
	dir := file(t, "x", "")
	dir = filepath.Join(filepath.Dir(dir), "data")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Chown(dir, 65534, 65534))
	asNobody := []string{"--reuid=65534", "--regid=65534", "--clear-groups"}
	out, ok := run(t, "setpriv", append(asNobody, initdb, "-N", "-A", "trust", "-D", dir)...)
	require.True(t, ok, out)
	port := free(t, 1)[0]
	text := "tcp_keepalives_idle = 40001\ntcp_keepalives_interval = 11\ntcp_user_timeout = 90s\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "postgresql.conf"), fmt.Appendf(nil, "listen_addresses = '127.0.0.1'\nport = %d\nunix_socket_directories = ''\n%s", port, text), 0o644))
	testkit.Start(t, exec.Command(testkit.Tool(t, "setpriv"), append(asNobody, postgres, "-D", dir)...))
	doc := one(t, "postgresql.conf", text, "")
	c := dial(t, port)
	settles(t, c.RemoteAddr(), c.LocalAddr(), holds(t, doc.Legs[0]), said(doc))
}

// A service of pg_service.conf takes the first of a keyword that comes again, where a
// connection string takes the last.
func TestLibpqServiceDoesSo(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	psql := testkit.Tool(t, "psql")
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	text := fmt.Sprintf("[a]\nhost=127.0.0.1\nport=%d\nuser=a\nsslmode=disable\ngssencmode=disable\nkeepalives_idle=60\nkeepalives_idle=70\n", l.Addr().(*net.TCPAddr).Port)
	doc := one(t, "pg_service.conf", text, "")
	require.NoError(t, doc.Err)
	assert.True(t, has(doc, 8, conffile.Ignored), said(doc))
	testkit.Start(t, exec.Command("env", "PGCONNECT_TIMEOUT=10", "PGSERVICEFILE="+file(t, "pg_service.conf", text), psql, "-w", "-X", "service=a", "-c", "select 1"))
	c, err := l.Accept()
	require.NoError(t, err)
	defer c.Close()
	settles(t, c.RemoteAddr(), c.LocalAddr(), holds(t, doc.Legs[0]), said(doc))
}
