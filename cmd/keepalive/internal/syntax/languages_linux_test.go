package syntax_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// python is that of the system, which has the packages of Debian.
const python = "/usr/bin/python3"

// switchedOn is what a socket shows on which keepalive was switched on, and nothing else.
func switchedOn(t *testing.T) string {
	t.Helper()
	c, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(c, sockopt.Config{}))
	s, err := sockopt.Get(c)
	require.NoError(t, err)
	return s.String()
}

// accepts is a listener, and the connections that programs make to it.
func accepts(t *testing.T) (address string, next func() net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), func() net.Conn {
		c, err := l.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		return c
	}
}

// nodeHolds is what a socket of Node.js has, whose initial delay is the plan's idle time.
func nodeHolds(t *testing.T, idle time.Duration) string {
	t.Helper()
	cfg := sockopt.Config{Idle: idle, Interval: time.Second, Count: 10, UserTimeout: sockopt.NoUserTimeout}
	return holds(t, cfg, false)
}

// A real Node.js: its sockets have what the note says, as client, as agent and as server.
func TestNode(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	withEach(t, "node", func(t *testing.T, p syntax.Plan, text string) {
		t.Parallel()
		address, next := accepts(t)
		host, port, _ := strings.Cut(address, ":")
		own := freePort(t)
		path := file(t, "main.js", text+fmt.Sprintf(`
const socket = require('node:net').connect(%s, '%s', () => { keepAlive(socket); socket.write('net\n'); });
http.get({ agent, host: '%[2]s', port: %[1]s, path: '/agent' });
server.on('request', (req, res) => res.end());
server.listen(%[3]d, '127.0.0.1');
`, port, host, own))
		start(t, nil, "node", path)
		want := nodeHolds(t, p.Config.Idle)
		for range 2 {
			c := next()
			requireSettings(t, c.RemoteAddr(), c.LocalAddr(), want)
		}
		c := dial(t, own)
		requireSettings(t, c.RemoteAddr(), c.LocalAddr(), want)
	})
}

// Node.js says in a header for how long it keeps a connection, and its agent has closed an
// idle one before that. The balancer of this path closes after 3 s, and so the agent has
// to after 1 s.
func TestNodeIdleTimes(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	text, _ := write(t, "node", behindProxy(t, 3*time.Second))
	var requests int
	closed := make(chan time.Duration, 1)
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { requests++ }),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed {
				closed <- 0
			}
		},
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	own := freePort(t)
	start(t, nil, "node", file(t, "main.js", text+fmt.Sprintf(`
http.get({ agent, host: '127.0.0.1', port: %d }, (res) => res.resume());
server.on('request', (req, res) => res.end());
server.listen(%d, '127.0.0.1');
`, l.Addr().(*net.TCPAddr).Port, own)))
	dial(t, own)
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d", own))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, "timeout=8", resp.Header.Get("Keep-Alive"), "5 s more than 3 s")
	select {
	case <-closed: // by the agent: the server has no timeout
	case <-time.After(patience):
		t.Error("the agent keeps an idle connection")
	}
	assert.Equal(t, 1, requests)
}

// A real Python sets them, and its HTTP libraries are not needed for that.
func TestPython(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	withEach(t, "python", func(t *testing.T, p syntax.Plan, text string) {
		t.Parallel()
		address, next := accepts(t)
		host, port, _ := strings.Cut(address, ":")
		start(t, nil, python, file(t, "main.py", text+fmt.Sprintf(`
sock = socket.create_connection(("%s", %s))
keepalive(sock)
sock.recv(1)
`, host, port)))
		c := next()
		requireSettings(t, c.RemoteAddr(), c.LocalAddr(), holds(t, p.Config, true))
	})
	t.Run("idle times", func(t *testing.T) {
		t.Parallel()
		text, _ := write(t, "python", behindBalancer(t))
		out := run(t, python, file(t, "idle.py", text+"print(IDLE)\n"))
		assert.Equal(t, "58\n", out)
	})
}

// A real Java, compiled by itself: one program for all plans, because it starts slowly.
func TestJava(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	testkit.Tool(t, "javac")
	address, next := accepts(t)
	host, port, _ := strings.Cut(address, ":")
	var program strings.Builder
	program.WriteString("import java.net.Socket;\n\npublic class Main {\n\tstatic java.util.List<Socket> open = new java.util.ArrayList<>();\n")
	all := plans(t)
	all["balancer"] = behindBalancer(t)
	var names []string
	for name, p := range all {
		text, _ := write(t, "java", p)
		fmt.Fprintf(&program, "\tstatic void plan%d() throws Exception {\nSocket socket = new Socket(\"%s\", %s); open.add(socket);\n%s\t}\n", len(names), host, port, text)
		names = append(names, name)
	}
	program.WriteString("\tpublic static void main(String[] args) throws Exception {\n")
	for i := range names {
		fmt.Fprintf(&program, "\t\tplan%d();\n", i)
	}
	program.WriteString("\t\tThread.sleep(600_000);\n\t}\n}\n")
	path := file(t, "Main.java", program.String())
	start(t, nil, "java", "-XX:TieredStopAtLevel=1", path)
	for _, name := range names {
		c := next()
		requireSettings(t, c.RemoteAddr(), c.LocalAddr(), holds(t, all[name].Config, false))
	}
}

// A real java.net.http.HttpClient closes an idle connection after the time that the
// properties say, 1 s where the proxy of the path closes after 3 s. Its default is 30 s
// or, before Java 20, 20 minutes.
func TestJavaIdleTimes(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	testkit.Tool(t, "javac")
	text, _ := write(t, "java", behindProxy(t, 3*time.Second))
	_, text, _ = strings.Cut(text, "\n\n")
	answered, closed := make(chan struct{}, 1), make(chan struct{}, 1)
	server := &http.Server{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateIdle:
				answered <- struct{}{}
			case http.StateClosed:
				closed <- struct{}{}
			}
		},
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	start(t, nil, "java", "-XX:TieredStopAtLevel=1", file(t, "Main.java", fmt.Sprintf(`
import java.net.URI;
import java.net.http.*;

public class Main {
	public static void main(String[] args) throws Exception {
%s
		HttpClient client = HttpClient.newHttpClient();
		client.send(HttpRequest.newBuilder(URI.create("http://%s/")).build(), HttpResponse.BodyHandlers.discarding());
		Thread.sleep(600_000);
	}
}
`, text, l.Addr())))
	select {
	case <-answered:
	case <-time.After(patience):
		t.Fatal("the client asks for nothing")
	}
	select {
	case <-closed:
	case <-time.After(29 * time.Second):
		t.Error("the client keeps an idle connection")
	}
}

// The real driver of PostgreSQL for Java switches keepalive on, and sets no value.
func TestPGJDBC(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	testkit.Root(t)
	const jar = "/usr/share/java/postgresql.jar"
	_, err := os.Stat(jar)
	testkit.Need(t, err == nil, "needs the JDBC driver of PostgreSQL (Debian: libpostgresql-jdbc-java)")
	testkit.Tool(t, "javac")
	text, _ := write(t, "pgjdbc", plans(t)["nlb"])
	address, next := accepts(t)
	properties := file(t, "driver.properties", text)
	path := file(t, "Main.java", fmt.Sprintf(`
public class Main {
	public static void main(String[] args) throws Exception {
		java.util.Properties p = new java.util.Properties();
		p.load(new java.io.FileReader("%s"));
		new org.postgresql.Driver().connect("jdbc:postgresql://%s/db?user=u&sslmode=disable&gssEncMode=disable", p);
	}
}
`, properties, address))
	start(t, nil, "java", "-XX:TieredStopAtLevel=1", "-cp", jar, path)
	c := next()
	requireSettings(t, c.RemoteAddr(), c.LocalAddr(), switchedOn(t))
}

// The real driver of PostgreSQL for Python.
func TestPsycopg(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	_, err := os.Stat("/usr/lib/python3/dist-packages/psycopg")
	testkit.Need(t, err == nil, "needs psycopg (Debian: python3-psycopg)")
	withEach(t, "psycopg", func(t *testing.T, p syntax.Plan, text string) {
		t.Parallel()
		address, next := accepts(t)
		host, port, _ := strings.Cut(address, ":")
		start(t, nil, python, file(t, "main.py", text+fmt.Sprintf(`
import psycopg
psycopg.connect("host=%s port=%s user=u sslmode=disable gssencmode=disable", **KEEPALIVE)
`, host, port)))
		c := next()
		requireSettings(t, c.RemoteAddr(), c.LocalAddr(), holds(t, p.Config, true))
	})
}

// gunicorn's own check reads the file.
func TestGunicorn(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	text, _ := write(t, "gunicorn", behindBalancer(t))
	path := file(t, "gunicorn.conf.py", text)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "app.py"), []byte("def app(environ, start_response): pass\n"), 0o644))
	out := run(t, "gunicorn", "--chdir", filepath.Dir(path), "--print-config", "-c", path, "app:app")
	assert.Regexp(t, `(?m)^keepalive +(= )?65$`, out)
}

// A real uvicorn takes the option, and closes an idle connection after that time and not
// before. The balancer of this path closes after 1 s, the server after 6 s.
func TestUvicorn(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	text, notes := write(t, "uvicorn", behindProxy(t, time.Second))
	assert.NotEmpty(t, notes, "it has no comments")
	words := strings.Fields(text)
	require.Equal(t, []string{"uvicorn", "--timeout-keep-alive", "6", "APP"}, words)
	path := file(t, "app.py", `
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})
`)
	port := freePort(t)
	start(t, nil, "uvicorn", "--app-dir", filepath.Dir(path), "--port", fmt.Sprint(port), words[1], words[2], "app:app")
	c := dial(t, port)
	_, err := fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	buffer := make([]byte, 4096)
	_, err = c.Read(buffer)
	require.NoError(t, err)
	answered := time.Now()
	c.SetReadDeadline(answered.Add(time.Minute))
	_, err = c.Read(buffer)
	assert.ErrorContains(t, err, "EOF")
	assert.Greater(t, time.Since(answered), 5*time.Second, "longer than the balancer")
}
