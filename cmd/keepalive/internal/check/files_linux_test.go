package check

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// write makes a file and returns the flag that names it.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return "--file=" + path
}

func TestCheckFile(t *testing.T) {
	const (
		good      = "host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=90000"
		inherited = "host=db keepalives_idle=60"
		slow      = "host=db keepalives_idle=400 keepalives_interval=10 keepalives_count=3"
		mistake   = "host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=15"
	)
	for _, tt := range []struct {
		rule, name, text string
		args             []string
		code             int
		out, errs        string
	}{
		{"right", "a.dsn", good, nil, exit.OK, `idle=60s,interval=10s,count=3,user-timeout=90s`, `read 1 file: 0 mistakes`},
		{"right, and it survives", "a.dsn", good, []string{"--path", "aws-nlb-tcp"}, exit.OK, `survives: refreshed after`, `0 mistakes`},
		{"a mistake", "a.dsn", mistake, nil, exit.Problems, `line 1: tcp_user_timeout=15: a number without a unit is in milliseconds here`, `1 mistake`},
		{"it loses", "a.dsn", slow, []string{"--path", "aws-nlb-tcp"}, exit.Problems, `loses: the first probe comes up to`, `0 mistakes, 1 of 1 kinds of connections do not survive`},
		{"without a path it is right", "a.dsn", slow, nil, exit.OK, `idle=400s`, `0 mistakes`},
		{"inherited", "a.dsn", inherited, []string{"--path", "aws-nlb-tcp"}, exit.Unknown, `unknown: it depends on what is inherited`, `whether 1 of 1 kinds of connections survive the path is not known`},
		{"a heartbeat is needed", "a.dsn", good, []string{"--path", "aws-rds-proxy"}, exit.Problems, `needs a heartbeat: .*every 1798s`, `1 of 1 kinds`},
		{"HTTP only", "ssh_config", "ServerAliveInterval 30", []string{"--path", "aws-alb"}, exit.Unknown, `unknown: aws-alb passes HTTP only, which ssh does not speak: is this the path\?`, `whether 1 of 1`},
		{"an assumption of the path", "a.dsn", good, []string{"--path", "aws-vpc-endpoint"}, exit.Unknown, `survives if: a probe refreshes aws-vpc-endpoint`, `rests on what nobody verified: aws-vpc-endpoint`},
		{"an accepted one", "a.dsn", good, []string{"--path", "aws-vpc-endpoint", "--assume-refresh"}, exit.OK, `survives: `, ``},
		{"an assumption of the file", "sysctl.conf", "net.ipv4.tcp_keepalive_time=60\nnet.ipv4.tcp_keepalive_intvl=10\nnet.ipv4.tcp_keepalive_probes=3", []string{"--path", "aws-nlb-tcp"}, exit.Unknown, `survives if: the program switches keepalive on`, `rests on`},
		{"half-closed", "a.dsn", good, []string{"--path", "box:5m/20s"}, exit.OK, `survives: .*; not once one end has closed it for writing: .*, box:5m/20s forgets it after 20s\n`, ``},
		{"half-closed, as long", "a.dsn", good, []string{"--path", "box:5m/4m"}, exit.OK, `survives: [^;]*; box:5m/4m forgets it after 300s\n`, ``},
		{"half-closed, which nobody knows", "a.dsn", good, []string{"--path", "aws-nlb-tcp"}, exit.OK, `survives: [^;]*; aws-nlb-tcp forgets it after 350s\n`, ``},
		{"a path that nobody knows", "a.dsn", good, []string{"--path", "linkerd"}, exit.Unknown, ``, `the timeout of linkerd is not known|timeout of linkerd is unknown`},
		{"accepted behind a proxy", "nginx.conf", "server { listen 80 so_keepalive=60s:6s:3; }", []string{"--path", "aws-nlb-tls,box:30s"}, exit.Problems, `loses: the first probe comes .*, box:30s forgets it after 30s; and nginx itself ends it after 75s of silence \(judged as the server's leg aws-nlb-tls - server\)`, ``},
		{"opened before a proxy", "a.dsn", good, []string{"--path", "aws-nlb-tls,box:30s"}, exit.OK, `survives: .*\(judged as the client's leg client - aws-nlb-tls; --server judges the server's\)`, ``},
		{"opened at the server's end", "a.dsn", good, []string{"--path", "aws-nlb-tls,box:30s", "--server"}, exit.Problems, `loses: .*\(judged as the server's leg aws-nlb-tls - server\)`, ``},
		{"a sysctl is for either end", "sysctl.conf", "net.ipv4.tcp_keepalive_time=60\nnet.ipv4.tcp_keepalive_intvl=6\nnet.ipv4.tcp_keepalive_probes=3", []string{"--path", "aws-nlb-tls,box:30s"}, exit.Unknown, `--server judges the server's\)`, ``},
		{"one leg is not named", "a.dsn", good, []string{"--path", "aws-nlb-tcp"}, exit.OK, `survives: [^(]*\n`, ``},
		{"a leg that nobody knows, behind one that is known", "redis.conf", "tcp-keepalive 60", []string{"--path", "aws-nlb-tls,linkerd"}, exit.Unknown, `unknown: .*linkerd`, `whether 1 of 1 kinds of connections survive the path is not known`},
		{"redis closes it", "redis.conf", "tcp-keepalive 60\ntimeout 60", []string{"--path", "aws-nlb-tcp"}, exit.Problems, `closes=60s +timeout 60, .*redis.conf:2\n    needs a heartbeat: redis-server itself ends it after 60s of silence .*: Redis PING every 58s`, `1 of 1 kinds`},
		{"nginx closes it", "nginx.conf", "http { keepalive_timeout 10s; server { listen 80 so_keepalive=60s:6s:3; } }", []string{"--path", "aws-nlb-tcp"}, exit.OK, `survives: .*; nginx itself ends it after 10s of silence .*HTTP keep-alive, the pause between two requests\): a client that may not lose a request gives it up before`, `0 mistakes`},
		{"haproxy closes it", "haproxy.cfg", "listen a\n bind :80\n option tcpka\n timeout client 10s\n timeout server 10s\n server b 10.0.0.1:80", []string{"--path", "aws-nlb-tcp"}, exit.Problems, `(?s)timeout client 10s.*needs a heartbeat: .*timeout server 10s.*needs a heartbeat`, `2 of 2 kinds`},
		{"PostgreSQL closes it", "postgresql.conf", "idle_session_timeout = 30s", []string{"--path", "aws-nlb-tcp"}, exit.Problems, `needs a heartbeat: the server itself ends it after 30s of silence`, `1 of 1 kinds`},
		{"noticed too late", "a.dsn", good, []string{"--path", "aws-nlb-tcp", "--detect", "60s"}, exit.Problems, `unnoticed: idle: a dead peer is noticed up to`, ``},
		{"noticed in time", "a.dsn", good, []string{"--path", "aws-nlb-tcp", "--detect", "120s"}, exit.OK, `survives`, ``},
		{"noticed too late, on a path that nobody knows", "a.dsn", good, []string{"--path", "postgresql", "--detect", "60s"}, exit.Problems, `unnoticed: idle: a dead peer is noticed up to .*; whether it survives is not known: `, ``},
		{"noticed in time, on a path that nobody knows", "a.dsn", good, []string{"--path", "postgresql", "--detect", "120s"}, exit.Unknown, `unknown: `, ``},
		{"in flight nobody knows", "redis.conf", "tcp-keepalive 30", []string{"--path", "aws-nlb-tcp", "--detect", "120s"}, exit.Unknown, `unknown: without a user timeout net.ipv4.tcp_retries2 decides`, ``},
		{"a heartbeat and --detect", "ssh_config", "ServerAliveInterval 30", []string{"--path", "aws-nlb-tcp", "--detect", "120s"}, exit.Unknown, `is not computed`, ``},
		{"an include", "redis.conf", "include x.conf\ntcp-keepalive 60", nil, exit.Unknown, `not looked at\n    line 1: x.conf is included`, ``},
		{"the second of two URIs", "a.env", "A=postgres://a/x?keepalives_idle=60&keepalives_interval=10&keepalives_count=3\nB=postgres://b/x", []string{"--path", "aws-nlb-tcp"}, exit.Unknown, `(?s)connection to a,.*survives:.*connection to b,.*unknown: it depends on what is inherited`, `whether 1 of 2`},
		{"two strings, one a line", "a.dsn", good + "\nhost=c", []string{"--path", "aws-nlb-tcp"}, exit.Unknown, `(?s)connection to db,.*survives:.*connection to c,.*unknown: it depends on what is inherited`, `whether 1 of 2`},
		{"the other hosts", "ssh_config", "Host a\n ServerAliveInterval 60", []string{"--path", "aws-nlb-tcp"}, exit.Unknown, `all other connections`, `whether 1 of 2`},
		{"only listens", "nginx.conf", "server { listen 80; }", []string{"--path", "aws-nlb-tcp"}, exit.Problems, `off\n(.*\n)*.*loses: keepalive is off`, `1 of 1 kinds`},
		{"only listens, without a path", "nginx.conf", "server { listen 80; }", nil, exit.Nothing, `^$`, `nothing about TCP keepalive was found`},
		{"nothing, redis' own", "redis.conf", "port 6379", []string{"--path", "aws-nlb-tcp"}, exit.Problems, `redis-server: 300 by default.*(.*\n)*.*loses`, `1 of 1`},
		{"nothing of a text", "a", "# postgres://a", []string{"--path", "aws-nlb-tcp", "--format", "compose"}, exit.Nothing, `^$`, `a has nothing but comments`},
		{"nothing", "redis.conf", "port 6379", nil, exit.Nothing, `^$`, `redis.conf: nothing about TCP keepalive was found`},
		{"an empty file", "a", "", []string{"--path", "box:15m", "--format", "redis"}, exit.Nothing, `^$`, `a is empty`},
		{"an empty file of its name", "ssh_config", "\n", []string{"--path", "box:15m"}, exit.Nothing, `^$`, `ssh_config is empty`},
		{"an empty file, without a path", "a", "", nil, exit.Nothing, `^$`, `a is empty`},
		{"another format's", "conn.txt", good, []string{"--path", "box:15m", "--format", "redis"}, exit.Usage, `^$`, `conn.txt:1: not redis: want words of redis-server, and this file has none; it looks like libpq: --format libpq`},
		{"no format's", "passwd", "root:x:0:0:root:/root:/bin/bash", []string{"--path", "box:15m", "--format", "ssh"}, exit.Usage, `^$`, `passwd:1: not ssh`},
		{"a word that nobody checked", "redis.conf", "tcp-keepalive 60\nbogus 1", []string{"--path", "box:15m"}, exit.Unknown, `survives(.*\n)*.*line 2: a word that is not known to this reader, "bogus"`, ``},
		{"a misspelt name", "a.dsn", "host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=3 tcp_user_timout=90000", nil, exit.Problems, `did you mean tcp_user_timeout\?`, `1 mistake`},
		{"a binary", "redis.conf", "tcp-keepalive 60\x00", nil, exit.Usage, `^$`, `redis.conf is binary`},
		{"UTF-16", "redis.conf", "\xff\xfet\x00", nil, exit.Usage, `^$`, `redis.conf is UTF-16: convert it to UTF-8`},
		{"only what is no mistake", "haproxy.cfg", "defaults\n timeout client 1m", []string{"--path", "aws-nlb-tcp"}, exit.Nothing, `there is no frontend`, `haproxy.cfg: nothing about TCP keepalive was found`},
		{"another format", "a", "tcp-keepalive 60", []string{"--format", "redis"}, exit.OK, `idle=60s,interval=20s,count=3`, ``},
		{"not recognised", "a", "hello", nil, exit.Usage, `^$`, `a: its format is not recognised: say with --format`},
		{"two formats", "a", "Host a\nClientAliveInterval 60", nil, exit.Usage, `^$`, `a can be ssh or sshd: say which with --format`},
		{"not parsed", "nginx.conf", "http {\n", nil, exit.Usage, `^$`, `nginx.conf:1: not nginx: want a } for the block of http`},
		{"a mistake in the format", "a", "", []string{"--format", "ngnix"}, exit.Usage, `^$`, `--format "ngnix": want one of .*did you mean nginx\?`},
		{"connections and a file", "a.dsn", good, []string{"--peer", ":80"}, exit.Usage, `^$`, `--peer is about the connections of this machine`},
		{"a path's flag without a path", "a.dsn", good, []string{"--detect", "5s"}, exit.Usage, `^$`, `--detect is about a path: --path is missing`},
		{"what a terminal would obey", "redis.conf", "tcp-keepalive \"6\x1b[31m\"", nil, exit.Problems, `tcp-keepalive 6[^\x1b]*: want 0 to`, ``},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			code, out, errs := command(append([]string{"check", write(t, tt.name, tt.text)}, tt.args...)...)
			assert.Equal(t, tt.code, code, out+errs)
			assert.Regexp(t, tt.out, out)
			assert.Regexp(t, tt.errs, errs)
			assert.NotContains(t, out+errs, "\x1b")
		})
	}
}

// TestALossAndAnUnknownTimeout: that the timeout of the client's leg is not known hides
// neither a loss on the server's leg, nor one in another file, nor a mistake.
func TestALossAndAnUnknownTimeout(t *testing.T) {
	t.Parallel()
	const unknown = "linkerd,aws-nlb-tls,box:30s" // linkerd ends the client's leg, aws-nlb-tls begins the server's
	client := write(t, "a.dsn", "host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=3")
	server := write(t, "postgresql.conf", "tcp_keepalives_idle=10\ntcp_keepalives_interval=2\ntcp_keepalives_count=3")
	loses := write(t, "nginx.conf", "server { listen 80; }")
	mistake := write(t, "b.dsn", "host=db keepalives_idle=60 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=15")
	broken := write(t, "nginx.conf", "http {")
	for _, tt := range []struct {
		rule, path string
		files      []string
		code       int
		out        string
	}{
		{"not known", unknown, []string{client}, exit.Unknown, "unknown: the timeout of linkerd is unknown"},
		{"only the other leg matters", unknown, []string{server}, exit.OK, "survives: "},
		{"one of each", unknown, []string{client, server}, exit.Unknown, "survives: "},
		{"a loss on the server's leg", unknown, []string{loses}, exit.Problems, "loses: keepalive is off"},
		{"a loss in the file after it", unknown, []string{client, loses}, exit.Problems, "loses: keepalive is off"},
		{"a loss in the file before it", unknown, []string{loses, client}, exit.Problems, "unknown: the timeout of linkerd is unknown"},
		{"a loss on a leg where it matters too", "linkerd,box:30s", []string{client, loses}, exit.Problems, "loses: keepalive is off"},
		{"a loss on the client's leg", "box:30s,linkerd", []string{client}, exit.Problems, "loses: the first probe comes"},
		{"a mistake", unknown, []string{mistake}, exit.Problems, "idle 60s, interval 10s, count 3: write 90000"},
		{"a file that is broken", unknown, []string{client, broken, loses}, exit.Usage, "loses: keepalive is off"},
		{"nothing at all", unknown, []string{write(t, "haproxy.cfg", "defaults\n timeout client 1m")}, exit.Unknown, ""},
	} {
		for _, json := range []bool{false, true} {
			args := append([]string{"check", "--path", tt.path}, tt.files...)
			if json {
				args = append(args, "--json")
			}
			code, out, errs := command(args...)
			assert.Equal(t, tt.code, code, "%s: %s%s", tt.rule, out, errs)
			if !json {
				assert.Contains(t, out, tt.out, tt.rule)
			}
			if strings.Contains(out, "linkerd is unknown") {
				assert.Contains(t, errs, "the timeout of linkerd is unknown: give it: --path linkerd=TIME", tt.rule)
			}
		}
	}
}

// Of several files each is read, whatever is wrong with the others.
func TestCheckFiles(t *testing.T) {
	t.Parallel()
	good, bad := write(t, "redis.conf", "tcp-keepalive 60"), write(t, "nginx.conf", "http {")
	missing := "--file=" + filepath.Join(t.TempDir(), "missing")
	code, out, errs := command("check", good, bad, missing)
	assert.Equal(t, exit.Usage, code)
	assert.Contains(t, out, "idle=60s,interval=20s,count=3")
	assert.Contains(t, errs, "nginx.conf:1: not nginx")
	assert.Contains(t, errs, "no such file")
	assert.Contains(t, errs, "read 1 of 3 files: 0 mistakes")
	_, out, _ = command("check", "--json", missing, bad)
	assert.Contains(t, out, `"files":0,"connections":0,"mistakes":0,"bad":0,"unknown":0,"unread":2`)
	code, _, errs = command("check", good, good)
	assert.Equal(t, exit.Usage, code)
	assert.Contains(t, errs, "is given twice")
	code, _, errs = command("check", "--file="+t.TempDir())
	assert.Equal(t, exit.Usage, code)
	assert.Regexp(t, `is a directory: give its files, --file .*/FILE`, errs)
	code, _, errs = command("check", "--format", "nginx")
	assert.Equal(t, exit.Usage, code)
	assert.Contains(t, errs, "--format says what a file of --file is")
}

// A directory of includes that is empty has nothing that was not looked at.
func TestCheckFileWithEmptyDirectory(t *testing.T) {
	t.Parallel()
	flag := write(t, "nginx.conf", "http {\n include conf.d/*.conf;\n server { listen 80 so_keepalive=on; }\n}")
	dir := filepath.Join(filepath.Dir(strings.TrimPrefix(flag, "--file=")), "conf.d")
	code, out, _ := command("check", flag)
	assert.Equal(t, exit.Unknown, code, out)
	require.NoError(t, os.Mkdir(dir, 0o755))
	code, out, _ = command("check", flag)
	assert.Equal(t, exit.OK, code, out)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.conf"), nil, 0o644))
	code, out, _ = command("check", flag)
	assert.Equal(t, exit.Unknown, code, out)
	assert.Contains(t, out, "a.conf is included (conf.d/*.conf) and was not looked at")
	code, out, _ = command("check", flag, "--file="+filepath.Join(dir, "a.conf"))
	assert.Equal(t, exit.OK, code, out)
	elsewhere := write(t, "nginx.conf", "http {\n include "+t.TempDir()+"/*.conf;\n server { listen 80 so_keepalive=on; }\n}")
	code, out, _ = command("check", elsewhere)
	assert.Equal(t, exit.Unknown, code, "what is not beside the file may be that of another machine: %s", out)
}

// - is standard input; a file that never ends is no configuration.
func TestReadFiles(t *testing.T) {
	t.Parallel()
	o := fileFlags{names: []string{"-"}}
	files, errs := o.read(strings.NewReader("tcp-keepalive 60"))
	assert.Empty(t, errs)
	assert.Equal(t, []conffile.File{{Name: "-", Text: "tcp-keepalive 60"}}, files)
	o.names = []string{"/dev/zero"}
	files, errs = o.read(nil)
	require.Len(t, errs, 1)
	assert.ErrorContains(t, errs[0], "/dev/zero is longer than 16 MB")
	assert.Equal(t, exit.Usage, exit.Code(errs[0]))
	assert.Empty(t, files)
}

func TestCheckFileWithoutPermission(t *testing.T) {
	clitest.InTurn(t)
	const name = "KEEPALIVE_TEST_FILE"
	if os.Getenv(name) == "" {
		secret := strings.TrimPrefix(write(t, "redis.conf", "tcp-keepalive 60"), "--file=")
		require.NoError(t, os.Chmod(secret, 0o600))
		for d := filepath.Dir(secret); d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
			require.NoError(t, os.Chmod(d, 0o755))
		}
		clitest.TellChild(t, name, secret)
	}
	if !testkit.InChildAsNobody(t) {
		return
	}
	code, out, errs := command("check", "--file", os.Getenv(name))
	assert.Equal(t, exit.Denied, code, out+errs)
	assert.Contains(t, errs, "permission denied")
}

func TestCheckFileJSON(t *testing.T) {
	t.Parallel()
	code, out, _ := command("check", "--json", "--path", "aws-nlb-tcp",
		write(t, "redis.conf", "tcp-keepalive 60"), write(t, "ssh_config", "ServerAliveInterval 60000"))
	assert.Equal(t, exit.Problems, code)
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	var redis, ssh fileRecord
	var end fileSummaryRecord
	require.NoError(t, d.Decode(&redis))
	require.NoError(t, d.Decode(&ssh))
	require.NoError(t, d.Decode(&end))
	assert.Equal(t, fileSummary{Files: 2, Connections: 2, Mistakes: 1, Unknown: 1}, end.Summary)
	require.Len(t, redis.Connections, 1)
	c := redis.Connections[0]
	assert.Equal(t, "idle=60s,interval=20s,count=3", c.Config)
	assert.Equal(t, "survives", *c.Verdict)
	assert.NotNil(t, c.Margin)
	require.Len(t, c.Settings, 5)
	assert.Equal(t, "20s", *c.Settings[2].Value)
	assert.Equal(t, 1, *c.Settings[2].Line)
	assert.Equal(t, "redis-server: a third of tcp-keepalive", *c.Settings[2].By)
	assert.Nil(t, ssh.Connections[0].Settings[1].Value, "inherited is null")
	assert.Equal(t, 60000.0, *ssh.Connections[0].Heartbeat)
	assert.Equal(t, "unit", ssh.Remarks[0].Kind)
	assert.True(t, ssh.Remarks[0].Mistake)

	_, help, _ := command("check", "--json", "--help")
	for _, v := range []any{redis, c, c.Settings[0], ssh.Remarks[0], end.Summary} {
		for _, field := range clitest.Fields(t, v) {
			assert.Contains(t, help, field)
		}
	}
	_, out, _ = command("check", "--json", write(t, "redis.conf", "tcp-keepalive 60"))
	assert.Contains(t, out, `"verdict":null,"bad":null,"reason":null`, "without a path")
}

// What docs/commands.md shows is what is printed.
func TestCheckFileAsDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../../../docs/commands.md")
	require.NoError(t, err)
	m := regexp.MustCompile("(?s)```nginx\n(.*?)```.*?```text\n\\$ keepalive check --file nginx.conf --path aws-nlb-tcp\n(.*?)```").FindSubmatch(doc)
	require.NotNil(t, m, "the sample of check --file")
	flag := write(t, "nginx.conf", string(m[1]))
	_, out, errs := command("check", "--path", "aws-nlb-tcp", flag)
	dir := filepath.Dir(strings.TrimPrefix(flag, "--file=")) + "/"
	assert.Equal(t, strings.TrimSpace(string(m[2])), strings.TrimSpace(strings.ReplaceAll(strings.TrimSpace(out)+"\n\n"+errs, dir, "")))
}
