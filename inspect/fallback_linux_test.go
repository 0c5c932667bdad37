package inspect_test

import (
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestWithoutNetlinkProcTells(t *testing.T) {
	t.Parallel()
	if !testkit.InChildWithoutNetlink(t) {
		return
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", testkit.Mapped} {
		client, server := testkit.Pair(t, "tcp", address)
		require.NoError(t, sockopt.Set(client, asked))
		r := of(t, client)
		assert.Equal(t, "/proc/net/tcp", r.Source)
		assert.ErrorIs(t, r.Unknown, unix.EPERM, "why it is not sock_diag")
		r.Unknown, r.Source = nil, "sock_diag"
		requireAsked(t, r)
		assert.Equal(t, "off", of(t, server).Timer.Kind)
		assert.NoError(t, inspect.Alive(client))

		found := 0
		f := inspect.Filter{ // others may have the same ephemeral port
			Local: []string{fmt.Sprintf(":%d", r.Local.Port())},
			Peer:  []string{fmt.Sprintf(":%d", r.Peer.Port())},
		}
		for s, err := range inspect.List(f) {
			require.NoError(t, err)
			assert.Equal(t, "/proc/net/tcp", s.Source)
			assert.Equal(t, r.Local, s.Local)
			assert.Equal(t, r.Peer, s.Peer)
			assert.Equal(t, r.Inode, s.Inode)
			assert.Equal(t, "keepalive", s.Timer.Kind)
			found++
		}
		assert.NotZero(t, found, address) // it may be there twice, see List
	}
	if l, err := net.Listen("tcp", "127.0.0.1:0"); assert.NoError(t, err) {
		assert.Equal(t, inspect.Listen, of(t, l).State)
		l.Close()
	}
}

func TestWithoutNetlinkAndProcTheSettingsAreLeft(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	if !testkit.InChildWithoutNetlink(t) {
		return
	}
	testkit.HideProc(t)
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, asked))
	r := of(t, client)
	assert.Equal(t, "", r.Source)
	assert.Equal(t, "", r.Timer.Kind)
	assert.ErrorIs(t, r.Unknown, unix.EPERM)
	assert.ErrorIs(t, r.Unknown, os.ErrNotExist)
	assert.Equal(t, inspect.Established, r.State)
	assert.Equal(t, asked.Idle, r.Settings.Idle)
	assert.Contains(t, r.Explain(), "when the next probe leaves is unknown: sock_diag: netlink socket: operation not permitted")
	assert.Contains(t, r.Explain(), "given up 2m46s")
	assert.NoError(t, inspect.Alive(client))
	for _, err := range inspect.List(inspect.Filter{}) {
		assert.ErrorIs(t, err, unix.EPERM)
	}
}

func TestNobodyMayLookAtOwnConnections(t *testing.T) {
	t.Parallel()
	if !testkit.InChildAsNobody(t) {
		return
	}
	require.Equal(t, 65534, os.Geteuid())
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, asked))
	requireAsked(t, of(t, client))
}
