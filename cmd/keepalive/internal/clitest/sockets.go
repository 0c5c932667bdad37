package clitest

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Quick are settings with a probe every second.
var Quick = sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 3}

// Ours limits ls to the sockets of one connection of this process.
func Ours(t *testing.T, cfg sockopt.Config) (flags []string) {
	t.Helper()
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, cfg))
	return []string{"--local", client.LocalAddr().String(), "--peer", client.RemoteAddr().String()}
}

// Row is one of a table of sockets, after a change.
func Row(cookie uint64, change func(*sockets.Row)) sockets.Row {
	r := sockets.Row{Report: inspect.Report{
		Source: "sock_diag", State: inspect.Established, Cookie: cookie, Inode: uint32(cookie),
		Local: netip.MustParseAddrPort("127.0.0.1:1000"), Peer: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(cookie)),
		Timer:    inspect.Timer{Kind: "keepalive", Left: 50 * time.Second},
		Activity: inspect.Activity{Known: true, LastDataReceived: 10 * time.Second, LastAckReceived: 10 * time.Second},
		Settings: platform.Settings{Known: kernel.SetOf(kernel.Options()...), Enabled: true, Idle: time.Minute, Interval: time.Second, Count: 3},
	}, OwnersKnown: true}
	if change != nil {
		change(&r)
	}
	return r
}
