package conffile_test

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

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
		out, _ := run(t, "nginx", "-t", "-p", filepath.Dir(path)+"/", "-c", path) // which fails without root, over its log
		assert.Equal(t, !refused, strings.Contains(out, "syntax is ok"), "%s: %s", listen, out)
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
