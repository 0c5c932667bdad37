package trace

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// tracingTo runs trace while f makes traffic. If linesOnErr is true, trace prints its lines to
// standard error.
func tracingTo(t *testing.T, linesOnErr bool, f func(), args ...string) (code int, out, errs []byte) {
	t.Helper()
	lines := begun{looks: make(chan struct{})}
	var other bytes.Buffer
	done := make(chan int, 1)
	go func() {
		args := limited(args)
		if linesOnErr {
			done <- cli.Run(commands, args, &other, &lines)
		} else {
			done <- cli.Run(commands, args, &lines, &other)
		}
	}()
	select {
	case <-lines.looks:
		f()
		code = <-done
	case code = <-done:
	}
	if linesOnErr {
		return code, other.Bytes(), lines.Bytes()
	}
	return code, lines.Bytes(), other.Bytes()
}

// reset makes connections that end with a RST.
func reset(t *testing.T, address string, n int) {
	for range n {
		c, err := net.Dial("tcp4", address)
		if !assert.NoError(t, err) {
			return
		}
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
}

func listens(t *testing.T) (address, port string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), portOf(l.Addr())
}

func TestTraceIntoAPipe(t *testing.T) {
	testkit.Root(t)
	tcpdump := testkit.Tool(t, "tcpdump")
	t.Chdir(t.TempDir())
	address, port := listens(t)
	code, out, errs := tracingTo(t, true, func() { reset(t, address, 2) }, "--port", port, "--count", "2", "-w", "-")
	assert.Equal(t, exit.OK, code, string(errs))
	assert.Equal(t, 3, strings.Count(string(errs), "\n"), "the lines are on standard error")
	dump := exec.Command(tcpdump, "-nr", "-")
	dump.Stdin = bytes.NewReader(out)
	text, err := dump.Output()
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(text), "Flags [R"), string(text))
	clitest.Alone(t, ".")

	code, out, errs = tracingTo(t, true, func() { reset(t, address, 1) }, "--port", port, "--count", "1", "--svg", "-")
	assert.Equal(t, exit.OK, code, string(errs))
	require.NoError(t, xml.Unmarshal(out, new(struct{})))
	clitest.Alone(t, ".")
}

// gone is a terminal that disappears after the first line.
type gone struct {
	*begun
	wrote bool
}

func (g *gone) Write(b []byte) (int, error) {
	if g.wrote {
		return 0, unix.EIO
	}
	g.wrote = true
	return g.begun.Write(b)
}

// The picture is drawn even if the lines can no longer be printed: a terminal may disappear
// before the signal about that arrives.
func TestTraceDrawsWhatItCannotPrint(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	address, port := listens(t)
	drawing := filepath.Join(t.TempDir(), "trace.svg")
	lines := &begun{looks: make(chan struct{})}
	var errs bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- cli.Run(commands, limited([]string{"--port", port, "--svg", drawing}), &gone{begun: lines}, &errs)
	}()
	select {
	case <-lines.looks:
		reset(t, address, 1)
		assert.Equal(t, exit.Problems, <-done)
	case <-done:
	}
	assert.Contains(t, errs.String(), "input/output error")
	picture, err := os.ReadFile(drawing)
	require.NoError(t, err)
	assert.Equal(t, 4+1, strings.Count(string(picture), "<circle"), "the legend and what was seen")
}

func TestTraceJSON(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, clitest.Quick))
	code, out, errs := command(limited([]string{"--json", "--port", portOf(server.LocalAddr()), "--peer", server.LocalAddr().String(), "--count", "3", "--only", "probe,answer"})...)
	require.Equal(t, exit.OK, code, errs)
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	for range 3 {
		var r traceRecord
		require.NoError(t, d.Decode(&r))
		assert.True(t, r.FromLocal && r.ToLocal)
		require.NotEmpty(t, r.FromProcesses)
		assert.Equal(t, os.Getpid(), r.FromProcesses[0].PID)
		if r.Kind == "probe" {
			assert.Equal(t, client.LocalAddr().String(), r.From)
			assert.Equal(t, "idle", *r.ExpectedSetting)
			assert.Equal(t, 1.0, *r.Expected)
		} else {
			assert.Equal(t, "answer", r.Kind)
			assert.Nil(t, r.ExpectedSetting)
		}
	}
	_, help, _ := command("trace", "--json", "--help")
	for _, field := range clitest.Fields(t, traceRecord{}) {
		assert.Contains(t, help, field)
	}
}

func TestTraceOnly(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	address, port := listens(t)
	code, out, errs := tracingTo(t, false, func() { reset(t, address, 3) }, "--port", port, "--count", "3", "--only", "SYN")
	assert.Equal(t, exit.OK, code, string(errs))
	assert.NotContains(t, string(out), "RST")
	code, out, errs = tracingTo(t, false, func() { reset(t, address, 3) }, "--port", port, "--for", "300ms", "--only", "probe,answer")
	assert.Equal(t, exit.Nothing, code, string(out))
	assert.Contains(t, string(errs), "nothing was seen that matches")
}

// Outputs that cannot be written are refused before the capture starts.
func TestTraceToImpossiblePlaces(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	nowhere := filepath.Join(t.TempDir(), "no", "where")
	for _, flag := range []string{"--svg", "--write"} {
		code, out, errs := command("trace", flag, nowhere)
		assert.Equal(t, exit.Problems, code)
		assert.Empty(t, out)
		assert.Regexp(t, `no such file or directory|there is no folder`, errs)
	}
	code, out, errs := command("trace", "--write", "/dev/full")
	assert.Equal(t, exit.Problems, code)
	assert.Empty(t, out)
	assert.Contains(t, errs, "no space left on device")
	code, out, errs = command("trace", "--pid", "4194305")
	assert.Equal(t, exit.Nothing, code)
	assert.Empty(t, out)
	assert.Contains(t, errs, "--pid 4194305: there is no such process")
}
