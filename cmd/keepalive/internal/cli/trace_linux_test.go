package cli

import (
	"encoding/xml"
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

	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/internal/testenv"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// tracing runs trace while f makes traffic.
func tracing(t *testing.T, f func(), args ...string) []string {
	t.Helper()
	type result struct {
		code      int
		out, errs string
	}
	done := make(chan result, 1)
	go func() {
		code, out, errs := command(append([]string{"trace"}, args...)...)
		done <- result{code, out, errs}
	}()
	time.Sleep(300 * time.Millisecond) // until it looks
	f()
	r := <-done
	require.Equal(t, exitOK, r.code, r.errs)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	assert.Regexp(t, `^TIME +FROM +TO +WHAT +AFTER +EXPECTED$`, lines[0])
	return lines[1:]
}

func portOf(a net.Addr) string { return fmt.Sprint(a.(*net.TCPAddr).Port) }

var quick = sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 3}

func TestTraceOfLiveProbes(t *testing.T) {
	t.Parallel()
	testenv.Root(t)
	client, server := socktest.Pair(t, "tcp4", "127.0.0.1:0")
	file := filepath.Join(t.TempDir(), "probes.pcapng")
	lines := tracing(t, func() { require.NoError(t, sockopt.Set(client, quick)) },
		"--port", portOf(server.LocalAddr()), "--count", "4", "--write", file)
	require.Len(t, lines, 4)
	own, peer := client.LocalAddr().String(), server.LocalAddr().String()
	end := func(a string) string { return `\*` + regexp.QuoteMeta(a) + ` cli\.test\[\d+\]` }
	for i, line := range lines {
		if i%2 == 0 {
			assert.Regexp(t, `^\d\d:\d\d:\d\d\.\d{6}  `+end(own)+` +`+end(peer)+` +probe +(-|1\.0\d\ds)  idle 1s$`, line)
		} else {
			assert.Regexp(t, `^\d\d:\d\d:\d\d\.\d{6}  `+end(peer)+` +`+end(own)+` +answer +0\.0\d\ds *$`, line)
		}
	}
	out, err := exec.Command(testenv.Tool(t, "tcpdump"), "-nr", file).Output()
	require.NoError(t, err)
	written := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, written, 4, "the first too, of which it was not known at once what it is")
	for i, line := range written {
		assert.Equal(t, lines[i][:15], line[:15])
	}
}

func TestTraceOfADeadPeer(t *testing.T) {
	t.Parallel()
	testenv.Root(t)
	client, server := socktest.Pair(t, "tcp4", "127.0.0.1:0")
	drawing := filepath.Join(t.TempDir(), "trace.svg")
	lines := tracing(t, func() {
		socktest.DropReceived(t, server)
		require.NoError(t, sockopt.Set(client, quick))
	}, "--peer", server.LocalAddr().String(), "--count", "4", "--svg", drawing)
	picture, err := os.ReadFile(drawing)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(picture, new(struct{})))
	assert.Equal(t, 4+4, strings.Count(string(picture), "<circle"), "the legend and what was seen")
	require.Len(t, lines, 4)
	for i, want := range []string{`probe +- +idle 1s$`, `probe 2 +1\.\d{3}s +interval 1s$`, `probe 3 +1\.\d{3}s +interval 1s$`, `RST +1\.\d{3}s +interval 1s$`} {
		assert.Regexp(t, want, lines[i])
	}
}

func TestTraceOfAFullWindow(t *testing.T) {
	t.Parallel()
	testenv.Root(t)
	client, server := socktest.Pair(t, "tcp4", "127.0.0.1:0") // whose server does not read
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

// TestTraceAgreesWithTcpdump: both see the same segments at the same time.
func TestTraceAgreesWithTcpdump(t *testing.T) {
	t.Parallel()
	testenv.Root(t)
	tcpdump := testenv.Tool(t, "tcpdump")
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	port := portOf(l.Addr())
	file := filepath.Join(t.TempDir(), "tcpdump.pcap")
	dump := exec.Command(tcpdump, "-i", "lo", "-U", "-w", file, "-j", "host", "--time-stamp-precision=micro", "tcp port "+port)
	var errs strings.Builder
	dump.Stderr = &errs
	require.NoError(t, dump.Start())
	stop := func() {
		dump.Process.Signal(os.Interrupt)
		dump.Wait()
	}
	time.Sleep(500 * time.Millisecond) // until it looks
	lines := tracing(t, func() {
		client, err := net.Dial("tcp4", l.Addr().String())
		if !assert.NoError(t, err) {
			return
		}
		defer client.Close()
		server, err := l.Accept()
		if !assert.NoError(t, err) {
			return
		}
		defer server.Close()
		client.Write([]byte("hello"))
		server.Read(make([]byte, 5))
		assert.NoError(t, sockopt.Set(client, quick))
		time.Sleep(2500 * time.Millisecond)
	}, "--port", port, "--all", "--for", "4s")
	stop()
	out, err := exec.Command(tcpdump, "-nr", file).Output()
	require.NoError(t, err, errs.String())
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

// clock reads the time at the beginning of a line.
func clock(t *testing.T, line string) time.Time {
	t.Helper()
	at, err := time.Parse("15:04:05.000000", line[:15])
	require.NoError(t, err)
	return at
}

func TestTraceWithoutPermission(t *testing.T) {
	if !socktest.InChildAsNobody(t) {
		return
	}
	code, out, errs := command("trace", "--for", "1s")
	assert.Equal(t, exitDenied, code)
	assert.Empty(t, out)
	assert.Contains(t, errs, "takes CAP_NET_RAW")
}

func TestTraceWrongUse(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--port", "0"}, "--port 0: want 1 to 65535"},
		{[]string{"--port", "70000"}, "--port 70000"},
		{[]string{"--peer", "x"}, "--peer"},
		{[]string{"--pid", "-1"}, "--pid -1"},
		{[]string{"--count", "-1"}, "--count -1"},
		{[]string{"--for", "-1s"}, "--for -1s"},
		{[]string{"x"}, "is not understood"},
	} {
		code, _, errs := command(append([]string{"trace"}, tt.args...)...)
		assert.Equal(t, exitUsage, code, "%s", tt.args)
		assert.Contains(t, errs, tt.want)
	}
}
