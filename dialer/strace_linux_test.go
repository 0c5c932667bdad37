package dialer_test

import (
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

const (
	straceChild = "KEEPALIVE_TEST_STRACE_CHILD" // which row this process dials
	straceDials = 20
)

// The system calls that set an option of a dialed connection, seen from
// outside. The test runs itself under strace; the child prints the descriptors
// of the connections, which stay open so that none is used twice.
func TestSystemCallsOfADial(t *testing.T) {
	rows := map[string]struct {
		dial func(network, address string) (net.Conn, error)
		want []string
	}{
		"net.Dialer sets four": {new(net.Dialer).Dial,
			[]string{"connect", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=15", "TCP_KEEPINTVL=15", "TCP_KEEPCNT=9"}},
		"each option once, and none of Go's": {(&dialer.Dialer{Config: asked}).Dial,
			[]string{"connect", "TCP_KEEPINTVL=22", "TCP_KEEPCNT=3", "TCP_USER_TIMEOUT=44444", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=111"}},
		"the same without read-back": {(&dialer.Dialer{Config: asked, WithoutReadBack: true}).Dial,
			[]string{"connect", "TCP_KEEPINTVL=22", "TCP_KEEPCNT=3", "TCP_USER_TIMEOUT=44444", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=111"}},
		"the user timeout before connect is not set again": {(&dialer.Dialer{Config: asked, UserTimeoutBeforeConnect: true}).Dial,
			[]string{"TCP_USER_TIMEOUT=44444", "connect", "TCP_KEEPINTVL=22", "TCP_KEEPCNT=3", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=111"}},
		"nothing asked: one call": {(&dialer.Dialer{}).Dial,
			[]string{"connect", "SO_KEEPALIVE=1"}},
		"Disabled: one call": {(&dialer.Dialer{Config: sockopt.Config{Disabled: true}}).Dial,
			[]string{"connect", "SO_KEEPALIVE=0"}},
	}
	if rule := os.Getenv(straceChild); rule != "" {
		dialForStrace(t, rows[rule].dial)
		return
	}
	t.Parallel()
	for rule, row := range rows {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			trace, fds := runUnderStrace(t, rule, "setsockopt,connect")
			require.Len(t, fds, straceDials)
			for _, fd := range fds {
				require.Equal(t, row.want, trace[fd], "descriptor %d", fd)
			}
		})
	}
}

// Checking a Config opens no socket, and neither New nor a dial asks which kernel runs:
// gVisor, which takes the option 9999 that Linux does not have, has the same options and
// limits.
func TestCheckingAConfigOpensNoSocket(t *testing.T) {
	const nothing, checks, dials = "nothing", "checks", "dials"
	check := func() *dialer.Dialer {
		require.NoError(t, asked.Validate())
		_, err := listener.New(asked)
		require.NoError(t, err)
		d, err := dialer.New(asked)
		require.NoError(t, err)
		return d
	}
	switch os.Getenv(straceChild) {
	case nothing:
		return
	case checks:
		check()
		return
	case dials:
		dialForStrace(t, check().Dial)
		return
	}
	t.Parallel()
	sockets := func(child string) int { // with those that the test's variables take to read the system's defaults
		lines, _ := testkit.UnderStrace(t, straceChild+"="+child, "socket")
		return strings.Count(strings.Join(lines, "\n"), "socket(")
	}
	assert.Equal(t, sockets(nothing), sockets(checks))

	lines, fds := testkit.UnderStrace(t, straceChild+"="+dials, "setsockopt")
	require.Len(t, fds, straceDials)
	assert.Contains(t, strings.Join(lines, "\n"), "TCP_KEEPIDLE", "the calls of the dials are seen")
	assert.NotContains(t, strings.Join(lines, "\n"), "0x270f", "the option 9999")
}

func dialForStrace(t *testing.T, dial func(network, address string) (net.Conn, error)) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	var fds []string
	for range straceDials {
		c, err := dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		rc, err := c.(syscall.Conn).SyscallConn()
		require.NoError(t, err)
		require.NoError(t, rc.Control(func(fd uintptr) { fds = append(fds, strconv.Itoa(int(fd))) }))
	}
	testkit.PrintDescriptors(fds)
}

var straceLine = regexp.MustCompile(`^\d+ +(setsockopt|connect)\((\d+), (?:SOL_\w+, (\w+), \[(-?\d+)\])?`)

// runUnderStrace runs this test's row in a child process. It returns the
// connects and the keepalive options of each descriptor in the order in which
// they were called, and the descriptors that the child printed.
func runUnderStrace(t *testing.T, rule, calls string) (trace map[int][]string, fds []int) {
	t.Helper()
	lines, fds := testkit.UnderStrace(t, straceChild+"="+rule, calls)
	trace = map[int][]string{}
	for _, line := range lines {
		m := straceLine.FindStringSubmatch(line)
		if m == nil {
			continue // "resumed" after an interruption: its arguments stood in the first half
		}
		fd, err := strconv.Atoi(m[2])
		require.NoError(t, err)
		call := m[1]
		if call == "setsockopt" {
			if !testkit.IsKeepAlive(m[3]) {
				continue
			}
			call = m[3] + "=" + m[4]
		}
		trace[fd] = append(trace[fd], call)
	}
	return trace, fds
}
