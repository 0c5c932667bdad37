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
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/freeport"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
)

func TestMain(m *testing.M) { lab.Main(m) }

// What the reader says is compared with what the program does: with the options of a real
// socket of it, or with its own parser.

// holds is what a socket of a leg shows on this machine.
func holds(t *testing.T, l conffile.Leg) string {
	t.Helper()
	defaults, err := kernel.SystemDefaults()
	require.NoError(t, err)
	return kernel.Linux().Effect(kernel.Request(l.Config), defaults).String()
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

// free returns ports that nobody listens on.
func free(t *testing.T, n int) []any {
	t.Helper()
	ports := make([]any, n)
	for i := range ports {
		p, err := freeport.Find()
		require.NoError(t, err)
		ports[i] = p
	}
	return ports
}

func dial(t *testing.T, port any) net.Conn {
	t.Helper()
	var conn net.Conn
	testkit.Until(t, fmt.Sprintf("something listens on port %d", port), func() bool {
		c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		conn = c
		return err == nil
	})
	t.Cleanup(func() { conn.Close() })
	return conn
}

// settles waits until the program's socket, with this local address and peer, has the
// settings, as a program sets them one after the other.
func settles(t *testing.T, local, peer net.Addr, want, why string) {
	t.Helper()
	var got string
	look := func() bool {
		owners, err := inspect.FindOwners()
		require.NoError(t, err)
		for r, err := range inspect.List(inspect.Filter{Local: []string{local.String()}, Peer: []string{peer.String()}, Owners: owners, Settings: true}) {
			require.NoError(t, err)
			if r.Settings.Known != 0 {
				got = r.Settings.String()
				return got == want
			}
		}
		return false
	}
	for range 100 {
		if look() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	assert.Equal(t, want, got, why)
}

// run starts a program and returns what it prints, and whether it succeeded.
func run(t *testing.T, name string, args ...string) (string, bool) {
	t.Helper()
	out, err := exec.Command(testkit.Tool(t, name), args...).CombinedOutput()
	return string(out), err == nil
}

// has reports whether there is a mistake of that kind on that line.
func has(doc *conffile.Document, line int, kind conffile.Kind) bool {
	for _, r := range doc.All() {
		if r.Line == line && r.Kind == kind {
			return true
		}
	}
	return false
}

func TestNginxDoesSo(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	testkit.Tool(t, "nginx")
	app, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer app.Close()
	ports := free(t, 7)
	text := fmt.Sprintf(`daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
http { access_log off; keepalive_timeout 5m;
server { listen 127.0.0.1:%d; }
server { listen 127.0.0.1:%d so_keepalive=on; }
server { listen 127.0.0.1:%d so_keepalive=off; }
server { listen 127.0.0.1:%d so_keepalive=30m::10; }
server { listen 127.0.0.1:%d so_keepalive=1m30s:15; }
server { listen 127.0.0.1:%d so_keepalive=40001:20:200; }
server { listen 127.0.0.1:%d so_keepalive=70;
location / { proxy_pass http://%s; proxy_socket_keepalive on; }
} }
`, append(ports, app.Addr())...)
	path := file(t, "nginx.conf", text)
	dump, ok := run(t, "nginx", "-T", "-q", "-p", filepath.Dir(path)+"/", "-c", path)
	require.True(t, ok, dump)
	dump = dump[strings.Index(dump, "# configuration file"):]
	doc := one(t, "-", dump, "")
	require.NoError(t, doc.Err)
	require.Len(t, doc.Legs, len(ports)+1, "read from nginx -T")
	assert.Equal(t, path, doc.File)

	testkit.Start(t, exec.Command("nginx", "-p", filepath.Dir(path)+"/", "-c", path))
	for i, port := range ports {
		c := dial(t, port)
		assert.Contains(t, doc.Legs[i].Name, fmt.Sprint(port))
		settles(t, c.RemoteAddr(), c.LocalAddr(), holds(t, doc.Legs[i]), doc.Legs[i].Name)
		if i == len(ports)-1 {
			fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
		}
	}
	assert.True(t, has(doc, 9, conffile.Refused), "the kernel refuses 40001 and 200")
	passed, err := app.Accept()
	require.NoError(t, err)
	defer passed.Close()
	upstream := doc.Legs[len(ports)]
	settles(t, passed.RemoteAddr(), passed.LocalAddr(), holds(t, upstream), upstream.Name)
}

func TestNginxRefusesWhatIsRefused(t *testing.T) {
	t.Parallel()
	for listen, refused := range map[string]bool{
		"so_keepalive=500ms::": true, "so_keepalive=60:10:3s": true, "so_keepalive=::": true, "so_keepalive=0::": true,
		"so_keepalive=yes": true, `"so_keepalive=60"`: false, "so_keepalive=1y2M3w4d5h6m7s:8:9": false, "so_keepalive=1m 1h": true,
		"so_keepalive=60,10": true, "so_keepalive=idle=60s": true, "so_keepalive=60:10:2147483648": false, "so_keepalive=": true,
	} {
		port := free(t, 1)[0]
		text := fmt.Sprintf("events {}\nhttp { server {\nlisten 127.0.0.1:%d %s;\n} }", port, listen)
		path := file(t, "nginx.conf", "pid nginx.pid; error_log stderr; "+text)
		out, ok := run(t, "nginx", "-t", "-p", filepath.Dir(path)+"/", "-c", path)
		assert.Equal(t, !refused, ok, "%s: %s", listen, out)
		doc := one(t, "nginx.conf", text, "")
		// A value out of range is refused by the kernel, which nginx goes on from.
		says := false
		for _, r := range doc.All() {
			says = says || strings.Contains(r.Text, "nginx does not start")
		}
		if listen == "so_keepalive=1m 1h" { // another parameter, of which we know nothing
			continue
		}
		assert.Equal(t, refused, says, "%s: %v", listen, doc.All())
	}
}

func TestHAProxyDoesSo(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	testkit.Tool(t, "haproxy")
	servers := make([]net.Listener, 3)
	var args []any
	for i := range servers {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		servers[i] = l
	}
	ports := free(t, 4)
	args = append(args, ports[0], servers[0].Addr(), ports[1], ports[2], servers[1].Addr(), ports[3], servers[2].Addr())
	text := fmt.Sprintf(`defaults
	mode tcp
	timeout connect 5s
	timeout client 1m
	timeout server 1m
	clitcpka-idle 1500ms
	clitcpka-cnt 0x10
	srvtcpka-intvl 7
listen a
	bind 127.0.0.1:%d
	option tcpka
	server a %s tcp-ut 30s
listen b
	bind 127.0.0.1:%d tcp-ut 90000
	bind 127.0.0.1:%d
	option clitcpka
	clitcpka-idle 0
	clitcpka-intvl 20s
	server b %s
listen c
	bind 127.0.0.1:%d
	option tcpka
	clitcpka-idle 10h
	clitcpka-cnt 200
	srvtcpka-idle 60
	no option srvtcpka
	server c %s
`, args...)
	path := file(t, "haproxy.cfg", text)
	out, ok := run(t, "haproxy", "-c", "-f", path)
	require.True(t, ok, out)
	doc := one(t, "haproxy.cfg", text, "")
	require.NoError(t, doc.Err)
	testkit.Start(t, exec.Command("haproxy", "-db", "-f", path))

	client := map[int]int{0: 0, 1: 2, 2: 3, 3: 5} // the leg of each port
	server := map[int]int{0: 1, 1: 4, 3: 6}       // that of each server
	require.Len(t, doc.Legs, 7, "%v", said(doc))
	for i, port := range ports {
		c := dial(t, port)
		l := doc.Legs[client[i]]
		settles(t, c.RemoteAddr(), c.LocalAddr(), holds(t, l), l.Name)
		leg, passed := server[i]
		if !passed {
			continue
		}
		s, err := servers[map[int]int{0: 0, 1: 1, 3: 2}[i]].Accept()
		require.NoError(t, err)
		defer s.Close()
		l = doc.Legs[leg]
		settles(t, s.RemoteAddr(), s.LocalAddr(), holds(t, l), l.Name)
	}
}

// haproxy warns of what it ignores, and does not start with what it refuses.
func TestHAProxySaysSo(t *testing.T) {
	t.Parallel()
	text := `defaults
	mode tcp
	timeout connect 5s
	timeout client 3s
	timeout server 1m
frontend f
	bind 127.0.0.1:1
	clitcpka-idle 5m30s
	srvtcpka-idle 10
	option srvtcpka
	timeout tunnel 1h
backend b
	option clitcpka
	clitcpka-idle 60
`
	path := file(t, "haproxy.cfg", text)
	out, _ := run(t, "haproxy", "-c", "-f", path)
	doc := one(t, "haproxy.cfg", text, "")
	for _, m := range regexp.MustCompile(`\[haproxy.cfg:(\d+)\] : .*ignored`).FindAllStringSubmatch(strings.ReplaceAll(out, path, "haproxy.cfg"), -1) {
		var line int
		fmt.Sscan(m[1], &line)
		assert.True(t, has(doc, line, conffile.Ignored), "line %d: %v", line, doc.All())
	}
	assert.True(t, has(doc, 8, conffile.Refused))
	assert.Contains(t, out, "5m30s")
	for word, refused := range map[string]bool{
		"clitcpka-idle -1": true, "clitcpka-cnt 1k": true, "clitcpka-idle 1.5s": true, "option tckpa": true, "clitcpka-iddle 4": true,
		"timeout client 2147483648": true, "timeout client 25d": true, "clitcpka-idle": true, "clitcpka-idle 25d": false,
		"clitcpka-cnt -1": false, "no option clitcpka": false, "no option tcpka": true, "timeout client 24d": false, `clitcpka-idle "60"`: false,
	} {
		path := file(t, "haproxy.cfg", "defaults\n mode tcp\n timeout connect 5s\n timeout client 1h\n timeout server 1h\nfrontend f\n bind 127.0.0.1:1\n "+word+"\n")
		out, ok := run(t, "haproxy", "-c", "-f", path)
		assert.Equal(t, !refused, ok, "%s: %s", word, out)
		says := false
		for _, r := range one(t, "haproxy.cfg", "frontend f\n bind 127.0.0.1:1\n "+word, "").All() {
			says = says || strings.Contains(r.Text, "does not start")
		}
		assert.Equal(t, refused, says, word)
	}
}

func TestRedisDoesSo(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	for _, directive := range []string{"tcp-keepalive 60", "TCP-Keepalive \"2\"", "tcp-keepalive 0", "tcp-keepalive 40001", "timeout 0"} {
		t.Run(directive, func(t *testing.T) {
			t.Parallel()
			port := free(t, 1)[0]
			text := fmt.Sprintf("port %d\nbind 127.0.0.1\nsave \"\"\n%s\n", port, directive)
			path := file(t, "redis.conf", text)
			testkit.Start(t, exec.Command(testkit.Tool(t, "redis-server"), path))
			doc := one(t, "redis.conf", text, "")
			if doc.Empty() { // redis' own 300
				doc = one(t, "redis.conf", text+"tcp-keepalive 300\n", "")
			}
			require.Len(t, doc.Legs, 1)
			c := dial(t, port)
			settles(t, c.RemoteAddr(), c.LocalAddr(), holds(t, doc.Legs[0]), directive)
		})
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

// systemd logs what it ignores.
func TestSystemdReadsSo(t *testing.T) {
	t.Parallel()
	var unit strings.Builder
	unit.WriteString("[Socket]\nListenStream=127.0.0.1:9\n")
	for _, l := range []string{
		"KeepAlive=maybe", "KeepAliveTimeSec=5min30s", "KeepAliveTimeSec=infinity", "KeepAliveTimeSec=0", "KeepAliveTimeSec=-1", "KeepAliveTimeSec=",
		"KeepAliveProbes=3s", "KeepAliveProbes=-1", "KeepAliveProbes=0x10", "KeepAliveProbes=5000000000", "KeepAliveTime=60", "keepalivetimesec=5",
		"KeepAliveTimeSec=2h 30min", "KeepAliveTimeSec=1.5", "KeepAliveTimeSec=1h 30", "KeepAliveTimeSec=2weeks", "KeepAliveTimeSec=3 M", "KeepAliveTimeSec=1 foo",
		"KeepAlive=T", "KeepAlive=", "KeepAlive=off",
	} {
		unit.WriteString(l + "\n")
	}
	path := file(t, "keepalive-test.socket", unit.String())
	dir := filepath.Dir(path)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "keepalive-test.service"), []byte("[Service]\nExecStart=/bin/true\n"), 0o644))
	cmd := exec.Command(testkit.Tool(t, "systemd-analyze"), "verify", "--man=no", path)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	out, _ := cmd.CombinedOutput()
	doc := one(t, "a.socket", unit.String(), "")
	for i, l := range strings.Split(unit.String(), "\n") {
		ignores := strings.Contains(string(out), fmt.Sprintf("keepalive-test.socket:%d: ", i+1))
		says := false
		for _, r := range doc.All() {
			says = says || r.Line == i+1 && strings.Contains(r.Text, "ignores it")
		}
		assert.Equal(t, ignores, says, "%s: %s", l, out)
	}
	for text, micros := range map[string]string{"1.5h": "5400000000", "2 weeks": "1209600000000", "1y": "31557600000000", "1h 30": "3630000000", "5000ms": "5000000"} {
		out, ok := run(t, "systemd-analyze", "timespan", text)
		require.True(t, ok, out)
		assert.Contains(t, out, " "+micros+"\n", text)
		doc := one(t, "a.socket", "[Socket]\nKeepAlive=yes\nKeepAliveTimeSec="+text, "")
		var us int64
		fmt.Sscan(micros, &us)
		if us/1e6 <= 32767 {
			assert.Equal(t, time.Duration(us)*time.Microsecond, doc.Legs[0].Config.Idle, text)
		} else {
			assert.True(t, has(doc, 3, conffile.Refused), text)
		}
	}
}

// The kernel itself: what sysctl(8) sets is what is said.
func TestSysctlDoesSo(t *testing.T) {
	t.Parallel()
	text := "net.ipv4.tcp_keepalive_time = 0x3c\n-net/ipv4/tcp_keepalive_intvl=40000\nnet.ipv4.tcp_keepalive_probes=200\n"
	n := lab.NewNamespace(t)
	n.Run("", "sysctl", "-p", file(t, "a.conf", text))
	doc := one(t, "sysctl.conf", text, "")
	require.Len(t, doc.Legs, 1)
	require.NoError(t, n.Do(func() error {
		defaults, err := kernel.SystemDefaults()
		defaults.Known |= kernel.SetOf(platform.KeepAlive)
		defaults.Enabled = true
		assert.Equal(t, kernel.Linux().Effect(kernel.Request(doc.Legs[0].Config), platform.Settings{Known: kernel.SetOf(platform.UserTimeout)}).String(), defaults.String())
		for line, refused := range map[string]bool{
			"tcp_keepalive_time 9000000": true, "tcp_keepalive_probes 256": true, "tcp_keepalive_probes 255": false,
			"tcp_keepalive_intvl 75000": false, "tcp_keepalive_time 60s": true,
		} {
			name, value, _ := strings.Cut(line, " ")
			err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0)
			assert.Equal(t, refused, err != nil, "%s: %v", line, err)
			doc := one(t, "sysctl.conf", "net.ipv4."+name+"="+value, "")
			assert.Equal(t, refused, len(doc.Legs) == 0, "%s: %v", line, doc.All())
		}
		return err
	}))
}

// ssh -G and sshd -T print what is in force.
func TestSSHReadsSo(t *testing.T) {
	t.Parallel()
	testkit.Tool(t, "ssh")
	for _, tt := range []struct{ text, host string }{
		{"Host *\n ServerAliveInterval 1m30s\n ServerAliveCountMax=5\n", "a"},
		{"Host *\n ServerAliveInterval 60\nHost db\n ServerAliveInterval 10\n", "db"},
		{"Host db\n ServerAliveInterval \"10\"\n TCPKeepAlive no\nHost *\n ServerAliveInterval 60\n", "db"},
		{"TCPKeepAlive false\nServerAliveInterval 20\nServerAliveInterval 30\n", "a"},
		{"KeepAlive yes\nServerAliveInterval=2h\n", "a"},
	} {
		out, ok := run(t, "ssh", "-G", "-F", file(t, "config", tt.text), tt.host)
		require.True(t, ok, out)
		doc := one(t, "ssh_config", tt.text, "")
		l := doc.Legs[0]
		for _, other := range doc.Legs {
			if strings.HasSuffix(other.Name, " "+tt.host) {
				l = other
			}
		}
		assert.Contains(t, out, fmt.Sprintf("serveraliveinterval %d\n", int(l.Heartbeat.Seconds())), tt.text)
		assert.Contains(t, out, "tcpkeepalive "+map[bool]string{true: "no", false: "yes"}[l.Config.Disabled]+"\n", tt.text)
	}
	for text, refused := range map[string]bool{
		"ServerAliveInterval 1.5": true, "TCPKeepAlive maybe": true, "ClientAliveInterval 5": true, "ServerAliveIntervall 5": true,
		"ServerAliveCountMax x": true, "TCPKeepAlive yes": false, "ServerAliveInterval 1w": false,
	} {
		out, ok := run(t, "ssh", "-G", "-F", file(t, "config", text+"\n"), "a")
		assert.Equal(t, !refused, ok, "%s: %s", text, out)
		mistakes := 0
		for _, r := range one(t, "ssh_config", text, "").All() {
			if r.Kind.Mistake() {
				mistakes++
			}
		}
		assert.Equal(t, refused, mistakes > 0, text)
	}
}

func TestSSHDReadsSo(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	key := file(t, "x", "") + ".key"
	out, ok := run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	require.True(t, ok, out)
	require.NoError(t, os.Chmod(key, 0o644))
	for text, refused := range map[string]bool{
		"ClientAliveInterval 60\nClientAliveCountMax 0\nTCPKeepAlive no\n":     false,
		"ClientAliveInterval 1m\nClientAliveInterval 5\n":                      false,
		"TCPKeepAlive yes\nMatch User a\n TCPKeepAlive no\n":                   true,
		"ClientAliveInterval 60\nMatch User nobody\n ClientAliveInterval 10\n": false,
		"ClientAliveInterval 60\nMatch all\n ClientAliveInterval 10\n":         false,
		"ServerAliveInterval 5\n":                                              true,
		"TCPKeepAlive maybe\n":                                                 true,
	} {
		// As root it wants /run/sshd, which its service makes.
		out, ok := run(t, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
			testkit.Tool(t, "sshd"), "-T", "-h", key, "-f", file(t, "sshd_config", text), "-C", "user=nobody,host=a,addr=127.0.0.1")
		require.Equal(t, !refused, ok, "%s: %s", text, out)
		doc := one(t, "sshd_config", text, "")
		require.NoError(t, doc.Err)
		if refused {
			assert.Condition(t, func() bool {
				for _, r := range doc.All() {
					if r.Kind.Mistake() {
						return true
					}
				}
				return false
			}, text)
			continue
		}
		l := doc.Legs[len(doc.Legs)-1] // that of the Match block, if there is one
		assert.Contains(t, out, fmt.Sprintf("clientaliveinterval %d\n", int(l.Heartbeat.Seconds())), text)
		assert.Contains(t, out, "tcpkeepalive "+map[bool]string{true: "no", false: "yes"}[l.Config.Disabled]+"\n", text)
	}
}
