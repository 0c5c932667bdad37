package conffile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Each reader is fuzzed on its own, from the examples of its format.

func FuzzNginx(f *testing.F) {
	fuzz(f, "nginx", "server{listen 80 so_keepalive=1y2M::\"}\"; a '\\n' ${b};}", "include a;")
}
func FuzzHAProxy(f *testing.F) {
	fuzz(f, "haproxy", "listen a\n no option srvtcpka\n clitcpka-idle 1us\n bind @x tcp-ut \"3 d\\", "defaults x from y")
}
func FuzzEnvoy(f *testing.F) {
	fuzz(f, "envoy", `{"listeners":[{"socket_options":[{"level":6,"name":4,"int_value":1e3}]}]}`, "a: &a [*a]\nclusters: [{tcp_keepalive: 3}]")
}
func FuzzKubernetes(f *testing.F) {
	fuzz(f, "kubernetes", "kind: EnvoyFilter\napiVersion: v1\nspec: &a {<<: *a, securityContext: {sysctls: [{name: net.ipv4.tcp_keepalive_time, value: -1}]}}")
}
func FuzzCompose(f *testing.F) {
	fuzz(f, "compose", "services: {a: {sysctls: [net.ipv4.tcp_keepalive_time=0x1], extends: b, network_mode: host}}")
}
func FuzzDocker(f *testing.F) {
	fuzz(f, "docker", "# docker run --net=host --sysctl='net.ipv4.tcp_keepalive_time=1' \\\n -it x \"y\\\"\" &")
}
func FuzzSysctl(f *testing.F) {
	fuzz(f, "sysctl", "-net/ipv4/tcp_keepalive_probes=0777\n-a.b\nnet.ipv4.tcp_keepalive_time=9999999999999999999")
}
func FuzzSystemd(f *testing.F) {
	fuzz(f, "systemd", "[Socket]\nKeepAlive=\\\n# x\nyes\nKeepAliveTimeSec=1y 2months 3.5µs .5\nListenStream=@")
}
func FuzzLibpq(f *testing.F) {
	fuzz(f, "libpq", "[a]\nkeepalives_idle = -9\n", "x='a\\'b' keepalives_idle =\\", "postgres://u@h,[::1]:3/%zz?keepalives_idle=%31")
}
func FuzzPostgreSQL(f *testing.F) {
	fuzz(f, "postgresql", "tcp_user_timeout='1e3 min'\nprimary_conninfo='host=a keepalives_count=''3'''\ninclude_dir 'x'\ntcp_keepalives_idle=0x7fffffff")
}
func FuzzRedis(f *testing.F) {
	fuzz(f, "redis", "TCP-KEEPALIVE '6\\'0'\ninclude \"a b\"\nport 0\ntimeout 9", "tcp-keepalive 1\"2\"")
}
func FuzzSSH(f *testing.F) {
	fuzz(f, "ssh", "Host=\"a b\"\nServerAliveInterval=1w2d\nMatch all\nTCPKeepAlive false # x\nInclude a b", "ServerAliveCountMax")
}
func FuzzSSHD(f *testing.F) {
	fuzz(f, "sshd", "ClientAliveInterval none\nMatch User a\nClientAliveCountMax 0\nTCPKeepAlive no")
}
func FuzzRecognise(f *testing.F) {
	fuzz(f, "", "# configuration file /a:\nhttp {}\n# configuration file b:\n}", "{\"kind\":1,\n\t\"apiVersion\":[]}", "Host a\nKeepAlive")
}

func fuzz(f *testing.F, format string, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	files, err := filepath.Glob("testdata/*/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no examples", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if doc := conffile.Read([]conffile.File{{Name: filepath.Base(name), Text: string(text)}}, "")[0]; doc.Format == format || format == "" {
			f.Add(string(text))
		}
	}
	path, err := align.Path("aws-nlb-tcp")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, doc := range conffile.Read([]conffile.File{{Name: "f", Text: text}}, format) {
			sound(t, doc, text, align.Request{Path: path})
		}
	})
}

// Every beginning of the examples is read, or refused with a line.
func TestTruncated(t *testing.T) {
	t.Parallel()
	path, err := align.Path("aws-nlb-tcp")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*/*")
	if err != nil || len(files) < 30 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		format := conffile.Read([]conffile.File{{Name: filepath.Base(name), Text: string(text)}}, "")[0].Format
		for i := range text {
			for _, doc := range conffile.Read([]conffile.File{{Name: "f", Text: string(text[:i])}}, format) {
				sound(t, doc, string(text[:i]), align.Request{Path: path})
			}
		}
	}
}

// sound checks what holds of everything that is read.
func sound(t *testing.T, doc *conffile.Document, text string, r align.Request) {
	t.Helper()
	lines := strings.Count(text, "\n") + 1
	if doc.Err != nil && (len(doc.Legs) > 0 || doc.Empty()) {
		t.Fatalf("an error, and more: %v", doc)
	}
	for _, m := range doc.All() {
		if m.Line < 1 || m.Line > lines || m.Text == "" || m.Kind == "" {
			t.Fatalf("%q of %d lines", m, lines)
		}
	}
	for _, l := range doc.Legs {
		if l.Line < 1 || l.Line > lines || l.Name == "" || l.Heartbeat < 0 {
			t.Fatalf("%+v of %d lines", l, lines)
		}
		if c, err := sockopt.Parse(l.Config.String()); err != nil || c != l.Config {
			t.Fatalf("%+v is %q, which is %+v: %v", l.Config, l.Config, c, err)
		}
		for _, s := range l.Settings {
			if s.Line < 0 || s.Line > lines || s.Line == 0 && s.By == "" || s.Line > 0 && s.Text == "" {
				t.Fatalf("nobody sets %+v", s)
			}
		}
		if _, err := l.Assess(r); err != nil {
			t.Fatal(err)
		}
	}
}
