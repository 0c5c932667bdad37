package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A suite is net/http's own tests, as they lie in the installed Go, compiled with
// three hooks in net/http so that each request of a test is made by a Transport of
// this package instead. Nothing of them is copied into this repository: the go
// command takes the changed files from an overlay.
type suite struct{ binary, dir string }

// hooks are inserted at the beginning of these methods of net/http; %[1]s and %[2]s
// are how they name receiver and parameter.
var hooks = []struct{ file, receiver, method, code string }{
	{"client.go", "Client", "transport",
		"if hook := KeepaliveHooks.Client; hook != nil { rt := %[1]s.Transport; if rt == nil { rt = DefaultTransport }; return hook(rt) }\n"},
	{"roundtrip.go", "Transport", "RoundTrip",
		"if hook := KeepaliveHooks.RoundTrip; hook != nil { if rt := hook(%[1]s, %[2]s); rt != nil { return rt.RoundTrip(%[2]s) } }\n"},
	{"transport.go", "Transport", "CloseIdleConnections",
		"if hook := KeepaliveHooks.CloseIdle; hook != nil { hook(%[1]s) }\n"},
}

func buildSuite(t *testing.T) *suite {
	t.Helper()
	root := strings.TrimSpace(output(t, "go", "env", "GOROOT"))
	netHTTP := filepath.Join(root, "src", "net", "http")
	_, err := os.Stat(filepath.Join(netHTTP, "clientserver_test.go"))
	testkit.Need(t, err == nil, "needs net/http's tests, which this installation of Go lacks")

	dir := t.TempDir()
	replace := map[string]string{}
	for _, h := range hooks {
		changed := filepath.Join(dir, h.file)
		require.NoError(t, os.WriteFile(changed, hooked(t, filepath.Join(netHTTP, h.file), h.receiver, h.method, h.code), 0o644))
		replace[filepath.Join(netHTTP, h.file)] = changed
	}
	for _, name := range []string{"hooks.go", "hooks_test.go"} {
		from, err := filepath.Abs(filepath.Join("testdata", "suite", name+".txt"))
		require.NoError(t, err)
		replace[filepath.Join(netHTTP, "zz_keepalive_"+name)] = from
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o644))

	s := &suite{binary: filepath.Join(dir, "http.test"), dir: netHTTP}
	build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", filepath.Join(dir, "overlay.json"), "-o", s.binary, "net/http")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return s
}

// hooked returns a file with code at the beginning of a method.
func hooked(t *testing.T, path, receiver, method, code string) []byte {
	t.Helper()
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, 0)
	require.NoError(t, err)
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != method || f.Body == nil || f.Recv == nil {
			continue
		}
		if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); !ok || star.X.(*ast.Ident).Name != receiver {
			continue
		}
		names := []any{f.Recv.List[0].Names[0].Name}
		if len(f.Type.Params.List) > 0 {
			names = append(names, f.Type.Params.List[0].Names[0].Name)
		}
		at := set.Position(f.Body.Lbrace).Offset + 1
		return slices.Concat(source[:at], []byte("\n"+fmt.Sprintf(code, names...)), source[at:])
	}
	t.Fatalf("%s has no method (*%s).%s: what the suite hooks into has another name in this version of Go", path, receiver, method)
	return nil
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	require.NoError(t, err, "%s", &stderr)
	return string(out)
}

// notRun are tests that would end the run, or reach outside this machine, in front
// of anything but an http.Transport; patterns of -test.skip.
var notRun = map[string]string{
	"^TestTransportPool":                     "takes GotConnInfo.Conn for what its DialContext returned, and panics; it is ours, and NetConn unwraps it",
	"^TestTransportAndServerSharedBodyRace$": "waits for Transport.CancelRequest, which a Transport does not have",
	"^TestTransportCancelRequestBeforeResponseHeaders$/^h1$/^TransportCancel$": "waits for Transport.CancelRequest, which a Transport does not have",
	"^TestTransportTraceGotConnH2IdleConns$":                                   "puts a connection into the pool of the http.Transport; without that it looks up a name in the DNS",
}

// A difference is why a test of net/http fails over a Transport.
type difference struct {
	why       string
	sometimes bool // it rests on what comes first
}

const (
	looksInside = "looks for idle connections inside the http.Transport, of which New has made a clone"
	changes     = "changes the http.Transport after a request, when New has cloned it"
	timeoutText = "Client.Timeout: a Client cancels a RoundTripper that it does not know through Request.Cancel and the context, and its error names Client.Timeout only if it sees the former first"
)

var differences = map[string]difference{
	"TestServerSetKeepAlivesEnabledClosesConns": {looksInside, false},
	"TestTransportMaxPerHostIdleConns":          {looksInside, false},
	"TestTransportMaxIdleConns":                 {looksInside, false},
	"TestTransportIdleCacheKeys":                {looksInside, false},
	"TestTransportServerClosingUnexpectedly":    {"closes idle connections inside the http.Transport, of which New has made a clone", false},
	"TestTransportRemovesDeadIdleConnections":   {looksInside + ": it does not wait until the first is gone, and its next POST may be sent within a millisecond", true},
	"TestClientInsecureTransport":               {changes, false},
	"TestTransportKeepAlives":                   {changes, false},
	"TestIssue32441":                            {"registers a RoundTripper for http, which New refuses", false},
	"TestTransportEventTrace": {"h2: HTTP/2 was set up by hand before New, and a clone of that asks two pools for a connection, so that GetConn is " +
		"called by both", false},
	"TestClientTimeout":         {timeoutText, true},
	"TestClientTimeout_Headers": {timeoutText, true},
}

var verdictLine = regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP): (\S+) \(`)

// run runs those tests that pattern matches, and returns their verdicts and the whole
// output.
func (s *suite) run(t *testing.T, mode, pattern string) (map[string]string, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	skip := strings.Join(slices.Sorted(maps.Keys(notRun)), "|")
	c := exec.CommandContext(ctx, s.binary, "-test.v", "-test.short", "-test.timeout=2m", "-test.run="+pattern, "-test.skip="+skip)
	c.Dir = s.dir
	c.Env = append(os.Environ(), "KEEPALIVE_SUITE="+mode)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	require.True(t, err == nil || errors.As(err, &exit), "%v", err) // it fails where a test fails
	require.NotContains(t, string(out), "\npanic: ", "%s: the run did not come to its end", mode)
	verdicts := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if m := verdictLine.FindStringSubmatch(lines.Text()); m != nil {
			verdicts[m[2]] = m[1]
		}
	}
	return verdicts, string(out)
}

// net/http's own tests pass over a Transport where they pass over a RoundTripper that
// does nothing, but for the differences that are listed. They take about 45 s, most of
// it for compiling net/http and what uses it.
func TestNetHTTPsOwnTests(t *testing.T) {
	testkit.Long(t)
	s := buildSuite(t)
	bare, _ := s.run(t, "bare", ".")
	ours, _ := s.run(t, "ours", ".")
	t.Logf("%d tests, %d over a Transport", len(bare), len(ours))
	require.Greater(t, len(bare), 1000)
	assert.Greater(t, len(ours), len(bare)*99/100, "subtests are missing where a test failed early, but not many")

	failed := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if strings.Contains(name, "/") || ours[name] != "FAIL" {
			continue
		}
		failed[name] = true
		if d, listed := differences[name]; listed {
			t.Logf("%s: %s", name, d.why)
			continue
		}
		// A busy machine fails some of them now and then, over anything.
		var out string
		for range 3 {
			var again map[string]string
			if again, out = s.run(t, "ours", "^"+name+"$"); again[name] == "PASS" {
				break
			}
			out = name + " fails:\n" + out
		}
		if !strings.HasPrefix(out, name+" fails:") {
			continue
		}
		if again, _ := s.run(t, "bare", "^"+name+"$"); again[name] == "PASS" {
			t.Error(out)
		} else {
			t.Logf("%s fails over a RoundTripper that does nothing, too", name)
		}
	}
	for name, d := range differences {
		if !d.sometimes {
			assert.Contains(t, failed, name, "it passes: take it off the list")
		}
	}
}
