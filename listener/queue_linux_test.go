package listener_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
)

// The timer of a connection runs before anybody accepts it: /proc/net/tcp shows
// timer 2, keepalive (get_tcp4_sock in net/ipv4/tcp_ipv4.c).
func TestTimerRunsInTheAcceptQueue(t *testing.T) {
	t.Parallel()
	lc := listener.ListenConfig{Config: asked}
	l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
	d := net.Dialer{KeepAlive: -1}
	client, err := d.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	testkit.Closing(t, client)
	assert.Equal(t, 2, timerOf(t, l.Addr(), client.LocalAddr()))
	assert.Equal(t, 0, timerOf(t, client.LocalAddr(), l.Addr()), "the client has none")
}

// timerOf returns the kind of timer that runs for the socket between two IPv4
// loopback addresses.
func timerOf(t *testing.T, local, remote net.Addr) int {
	t.Helper()
	text, err := os.ReadFile("/proc/thread-self/net/tcp")
	require.NoError(t, err)
	ends := fmt.Sprintf(" 0100007F:%04X 0100007F:%04X ", local.(*net.TCPAddr).Port, remote.(*net.TCPAddr).Port)
	for line := range strings.Lines(string(text)) {
		_, rest, ok := strings.Cut(line, ends)
		if !ok {
			continue
		}
		var state, timer int
		var queues string
		_, err := fmt.Sscanf(rest, "%x %s %x:", &state, &queues, &timer)
		require.NoError(t, err, line)
		require.Equal(t, 1, state, "established")
		return timer
	}
	t.Fatalf("no socket%s", ends)
	return 0
}
