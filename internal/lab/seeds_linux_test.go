package lab

import (
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/segment"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// These tests show what package net sends, which is the reason for this project. Its 15 s
// make them long. TestStdlibDialerOverwritesTheHook of package dialer shows quickly that the
// kernel holds the 15 s.

// With the usual Control hook the first probe is sent after Go's 15 s, not after the second
// that the hook asks for.
func TestGoOverwritesTheHook(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	hook := side{dial: func(address string) (net.Conn, error) {
		d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
			return sockopt.Set(c, sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 3})
		}}
		return d.Dial("tcp", address)
	}}
	w := newWorld(t, hook, plainSide, "127.0.0.1:0")
	events := w.watch(t, 17*time.Second)
	require.Len(t, events, 2)
	assert.Equal(t, segment.Probe, events[0].Kind)
	requireAfter(t, 15*time.Second, events[0].Since, "Go's")
}

// net.Dialer.KeepAlive sets only the idle time; the interval stays 15 s, and a live peer is
// probed at the longer of the two.
func TestGoKeepAlive10s(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	w := newWorld(t, netSide(10*time.Second), plainSide, "127.0.0.1:0")
	events := w.watch(t, 28*time.Second)
	require.Len(t, events, 4, "two probes and their answers")
	requireAfter(t, 10*time.Second, events[0].Since, "the first probe")
	requireAfter(t, 15*time.Second, events[2].Since, "the second")
	for i, e := range events {
		assert.Equal(t, []segment.Kind{segment.Probe, segment.Answer}[i%2], e.Kind)
	}
}

// A listener of package net probes its clients every 15 s by default.
func TestGoServersProbe(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	w := newWorld(t, plainSide, goSide, "127.0.0.1:0")
	events := w.watch(t, 17500*time.Millisecond)
	require.Len(t, events, 2)
	assert.Equal(t, segment.Probe, events[0].Kind)
	assert.Equal(t, w.server.LocalAddr().String(), events[0].Src.String())
	requireAfter(t, 15*time.Second, events[0].Since, "the server's")
}

// With an idle time above Go's, nothing is sent after 15 s.
func TestGoNeverAppears(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	cfg := sockopt.Config{Idle: 18 * time.Second, Interval: time.Second, Count: 3}
	for name, tt := range map[string]struct{ client, server side }{
		"dialer":   {ours(cfg, false), plainSide},
		"listener": {plainSide, ours(cfg, false)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.client, tt.server, "127.0.0.1:0")
			events := w.watch(t, 21*time.Second)
			require.Len(t, events, 2)
			requireAfter(t, 18*time.Second, events[0].Since, "the first probe")
		})
	}
}

// A packet filter drops the packets that the server would receive. The probes are sent, and so
// is the reset after the last probe.
func TestDropRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ours(probing, false), plainSide, "127.0.0.1:0")
	port := w.server.LocalAddr().(*net.TCPAddr).Port
	w.namespace.Run(`
table inet gone {
	chain input {
		type filter hook input priority filter
		tcp dport `+strconv.Itoa(port)+` drop
	}
}
`, "nft", "-f", "-")
	events := w.watch(t, 10*time.Second)
	require.Len(t, events, probing.Count+1)
	for i, e := range events[:probing.Count] {
		assert.Equal(t, segment.Probe, e.Kind)
		assert.Equal(t, i+1, e.Unanswered)
	}
	assert.Equal(t, segment.Reset, events[probing.Count].Kind)
	requireAfter(t, probing.Interval, events[probing.Count].Since, "reset")
	assert.Equal(t, sockopt.PeerTimeout, sockopt.CauseOf(ends(w.client, time.Second)))
	assertOpen(t, w.server, time.Now()) // which the reset did not reach
}
