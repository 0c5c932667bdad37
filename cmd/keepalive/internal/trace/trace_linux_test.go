package trace

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// tracing runs trace while f makes traffic.
func tracing(t *testing.T, f func(), args ...string) []string {
	t.Helper()
	out := begun{looks: make(chan struct{})}
	var errs bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- cli.Run(commands, limited(args), &out, &errs) }()
	select {
	case <-out.looks:
		f()
	case code := <-done:
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	// On a busy machine a socket may have ended before trace could read its settings. A
	// test that is about settings compares them itself.
	if code := <-done; !strings.Contains(errs.String(), "could not be compared with the settings") {
		require.Equal(t, exit.OK, code, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	assert.Regexp(t, `^TIME +FROM +TO +WHAT +AFTER +EXPECTED$`, lines[0])
	return lines[1:]
}

// limited ends trace after a time, even if the awaited segment does not arrive.
func limited(args []string) []string {
	if !slices.Contains(args, "--for") {
		args = append(args, "--for", "30s")
	}
	return append([]string{"trace"}, args...)
}

// begun is a buffer that signals the first line, which trace prints as soon as the capture
// has started.
type begun struct {
	bytes.Buffer
	looks chan struct{}
	once  sync.Once
}

func (b *begun) Write(p []byte) (int, error) {
	b.once.Do(func() { close(b.looks) })
	return b.Buffer.Write(p)
}

func portOf(a net.Addr) string { return fmt.Sprint(a.(*net.TCPAddr).Port) }

func TestTraceOfLiveProbes(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	file := filepath.Join(t.TempDir(), "probes.pcapng")
	lines := tracing(t, func() { require.NoError(t, sockopt.Set(client, clitest.Quick)) },
		"--port", portOf(server.LocalAddr()), "--count", "4", "--write", file)
	require.Len(t, lines, 4)
	own, peer := client.LocalAddr().String(), server.LocalAddr().String()
	end := func(a string) string { return `\*` + regexp.QuoteMeta(a) + ` trace\.test\[\d+\]` }
	for i, line := range lines {
		if i%2 == 0 {
			assert.Regexp(t, `^\d\d:\d\d:\d\d\.\d{6}  `+end(own)+` +`+end(peer)+` +probe +(-|1\.0\d\ds)  idle 1s$`, line)
		} else {
			assert.Regexp(t, `^\d\d:\d\d:\d\d\.\d{6}  `+end(peer)+` +`+end(own)+` +answer +0\.0\d\ds *$`, line)
		}
	}
	out, err := exec.Command(testkit.Tool(t, "tcpdump"), "-nr", file).Output()
	require.NoError(t, err)
	written := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, written, 4, "the first too, of which it was not known at once what it is")
	for i, line := range written {
		assert.Equal(t, lines[i][:15], line[:15])
	}
}

func TestTraceOfADeadPeer(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	drawing := filepath.Join(t.TempDir(), "trace.svg")
	lines := tracing(t, func() {
		testkit.DropReceived(t, server)
		require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 2}))
	}, "--port", portOf(server.LocalAddr()), "--count", "3", "--svg", drawing)
	picture, err := os.ReadFile(drawing)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(picture, new(struct{})))
	assert.Equal(t, 4+3, strings.Count(string(picture), "<circle"), "the legend and what was seen")
	require.Len(t, lines, 3)
	for i, want := range []string{`probe +- +idle 1s$`, `probe 2 +1\.\d{3}s +interval 1s$`, `RST +1\.\d{3}s +interval 1s$`} {
		assert.Regexp(t, want, lines[i])
	}
}

func TestTraceOfAFullWindow(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0") // whose server does not read
	lines := tracing(t, func() {
		require.NoError(t, client.SetWriteDeadline(time.Now().Add(500*time.Millisecond)))
		for {
			if _, err := client.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}, "--port", portOf(server.LocalAddr()), "--count", "2")
	require.Len(t, lines, 2)
	assert.Regexp(t, `window probe`, lines[0])
	assert.Regexp(t, `answer`, lines[1])
}

// trace and tcpdump see the same segments at the same time.
func TestTraceAgreesWithTcpdump(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	tcpdump := testkit.Tool(t, "tcpdump")
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	port := portOf(l.Addr())
	file := filepath.Join(t.TempDir(), "tcpdump.pcap")
	dump := exec.Command(tcpdump, "-i", "lo", "-U", "-w", file, "-j", "host", "--time-stamp-precision=micro", "tcp port "+port)
	says, err := dump.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, dump.Start())
	stop := func() {
		dump.Process.Signal(os.Interrupt)
		dump.Wait()
	}
	said := bufio.NewScanner(says)
	for said.Scan() && !strings.Contains(said.Text(), "listening on") {
	}
	lines := tracing(t, func() {
		client, err := net.Dial("tcp4", l.Addr().String())
		if !assert.NoError(t, err) {
			return
		}
		defer client.Close()
		server, err := testkit.AcceptFrom(l, client)
		if !assert.NoError(t, err) {
			return
		}
		defer server.Close()
		client.Write([]byte("hello"))
		server.Read(make([]byte, 5))
		assert.NoError(t, sockopt.Set(client, clitest.Quick))
		time.Sleep(2300 * time.Millisecond) // two probes, of which the second may be 1/8 late
	}, "--port", port, "--all", "--for", "3500ms")
	stop()
	out, err := exec.Command(tcpdump, "-nr", file).Output()
	require.NoError(t, err)
	theirs := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Equal(t, len(theirs), len(lines), "%s\n%s", out, strings.Join(lines, "\n"))
	probes := 0
	for i, line := range lines {
		assert.InDelta(t, 0, clock(t, line).Sub(clock(t, theirs[i])).Seconds(), 0.001)
		if strings.Contains(line, " probe ") {
			probes++
			assert.Contains(t, theirs[i], "length 0")
		}
	}
	assert.GreaterOrEqual(t, probes, 2)
}

// clock parses the time at the beginning of a line.
func clock(t *testing.T, line string) time.Time {
	t.Helper()
	at, err := time.Parse("15:04:05.000000", line[:15])
	require.NoError(t, err)
	return at
}

func TestTraceWithoutPermission(t *testing.T) {
	clitest.InTurn(t)
	if !testkit.InChildAsNobody(t) {
		return
	}
	code, out, errs := command("trace", "--for", "1s")
	assert.Equal(t, exit.Denied, code)
	assert.Empty(t, out)
	assert.Contains(t, errs, "takes CAP_NET_RAW")
}

// Without CAP_SYS_PTRACE trace sees the wire, but not the settings of other processes'
// sockets.
func TestTraceWithoutSettings(t *testing.T) {
	clitest.InTurn(t)
	const port = "KEEPALIVE_TEST_PORT" // of the parent's connection, for the child
	if !testkit.IsChild(t) {
		testkit.Root(t)
		client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		require.NoError(t, sockopt.Set(client, clitest.Quick))
		clitest.TellChild(t, port, portOf(server.LocalAddr()))
	}
	if !testkit.InChildWithoutCaps(t, unix.CAP_SYS_PTRACE) {
		return
	}
	code, out, errs := command(limited([]string{"--port", os.Getenv(port), "--count", "2"})...)
	assert.Equal(t, exit.Denied, code, out)
	assert.Regexp(t, `probe .*idle \?`, out)
	assert.Contains(t, errs, "settings of their sockets: some processes may not be looked at")
}

func TestTraceWrongUse(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--port", "0"}, "--port 0: want 1 to 65535"},
		{[]string{"--port", "70000"}, "--port 70000"},
		{[]string{"--peer", "x"}, "--peer"},
		{[]string{"--pid", "-1"}, "--pid -1: a process number is greater than 0"},
		{[]string{"--pid", "0"}, "--pid 0: a process number is greater than 0"},
		{[]string{"--count", "-1"}, "--count -1: want a whole number, 1 or more"},
		{[]string{"--count", "0"}, "--count 0: want a whole number, 1 or more"},
		{[]string{"--for", "-1s"}, "--for -1s: want a time longer than 0"},
		{[]string{"--for", "0s"}, "--for 0s: want a time longer than 0"},
		{[]string{"--only", "prob"}, "--only prob: want one of probe, answer, window-probe, rst, syn, fin, data, ack, retransmission; did you mean probe"},
		{[]string{"--only", "rst", "--all"}, "--all and --only exclude each other"},
		{[]string{"--write", "-", "--svg", "-"}, "both want standard output"},
		{[]string{"x"}, "is not understood"},
	} {
		code, _, errs := command(append([]string{"trace"}, tt.args...)...)
		assert.Equal(t, exit.Usage, code, "%s", tt.args)
		assert.Contains(t, errs, tt.want)
	}
}
