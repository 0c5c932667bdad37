package listener_test

import (
	"context"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
)

const (
	straceChild   = "KEEPALIVE_TEST_STRACE_CHILD" // which row this process accepts
	straceAccepts = 20
)

// The keepalive options that are set on an accepted connection, seen from
// outside. The test runs itself under strace; the child prints the descriptors
// of the connections, which stay open so that none is used twice.
func TestSystemCallsOfAnAccept(t *testing.T) {
	ctx := context.Background()
	wrap := func(lc listener.ListenConfig) (net.Listener, error) {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		return lc.Wrap(l)
	}
	four := []string{"SO_KEEPALIVE=1", "TCP_KEEPIDLE=15", "TCP_KEEPINTVL=15", "TCP_KEEPCNT=9"}
	again := []string{"TCP_KEEPINTVL=22", "TCP_KEEPCNT=3", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=111"}
	rows := map[string]struct {
		listen func() (net.Listener, error)
		want   []string
	}{
		"net.Listen: four for each connection": {
			func() (net.Listener, error) { return net.Listen("tcp4", "127.0.0.1:0") }, four},
		"Listen: none": {
			func() (net.Listener, error) {
				lc := listener.ListenConfig{Config: asked}
				return lc.Listen(ctx, "tcp4", "127.0.0.1:0")
			}, nil},
		"Listen, pinned: none": {
			func() (net.Listener, error) {
				lc := listener.ListenConfig{Config: asked, Pin: true}
				return lc.Listen(ctx, "tcp4", "127.0.0.1:0")
			}, nil},
		"Configure: none": {
			func() (net.Listener, error) {
				var lc net.ListenConfig
				if err := listener.Configure(&lc, asked); err != nil {
					return nil, err
				}
				return lc.Listen(ctx, "tcp4", "127.0.0.1:0")
			}, nil},
		"Wrap: four of Go's and four again": {
			func() (net.Listener, error) { return wrap(listener.ListenConfig{Config: askedEarly}) }, slices.Concat(four, again)},
	}
	if rule := os.Getenv(straceChild); rule != "" {
		acceptForStrace(t, rows[rule].listen)
		return
	}
	t.Parallel()
	for rule, row := range rows {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			trace, fds := runUnderStrace(t, rule, "setsockopt,accept4")
			require.Len(t, fds, straceAccepts)
			for _, fd := range fds {
				require.True(t, trace.accepted[fd], "descriptor %d was accepted", fd)
				require.Equal(t, row.want, trace.options[fd], "descriptor %d", fd)
			}
		})
	}
}

func acceptForStrace(t *testing.T, listen func() (net.Listener, error)) {
	l, err := listen()
	require.NoError(t, err)
	defer l.Close()
	d := net.Dialer{KeepAlive: -1}
	var fds []string
	for range straceAccepts {
		client, err := d.Dial("tcp4", l.Addr().String())
		require.NoError(t, err)
		defer client.Close()
		server := testkit.Accept(t, l, client)
		require.NoError(t, rawConn(t, server).Control(func(fd uintptr) { fds = append(fds, strconv.Itoa(int(fd))) }))
	}
	testkit.PrintDescriptors(fds)
}

var (
	straceLine   = regexp.MustCompile(`^\d+ +setsockopt\((\d+), SOL_\w+, (\w+), \[(-?\d+)\]`)
	straceAccept = regexp.MustCompile(`^\d+ +(?:accept4\(|<\.\.\. accept4 resumed>).* = (\d+)$`)
)

// A socketTrace is what strace saw of each descriptor.
type socketTrace struct {
	accepted map[int]bool
	options  map[int][]string // the keepalive options, in order
}

// runUnderStrace runs this test's row in a child process. It returns what strace
// saw, and the descriptors that the child printed.
func runUnderStrace(t *testing.T, rule, calls string) (trace socketTrace, fds []int) {
	t.Helper()
	lines, fds := testkit.UnderStrace(t, straceChild+"="+rule, calls)
	trace = socketTrace{accepted: map[int]bool{}, options: map[int][]string{}}
	for _, line := range lines {
		if m := straceAccept.FindStringSubmatch(line); m != nil {
			fd, err := strconv.Atoi(m[1])
			require.NoError(t, err)
			trace.accepted[fd] = true
			continue
		}
		// Of a call that was interrupted the arguments stand in the first half.
		m := straceLine.FindStringSubmatch(line)
		if m == nil || !testkit.IsKeepAlive(m[2]) {
			continue
		}
		fd, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		trace.options[fd] = append(trace.options[fd], m[2]+"="+m[3])
	}
	return trace, fds
}
