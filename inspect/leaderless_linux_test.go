package inspect_test

import (
	"errors"
	"io/fs"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/proc"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
)

// The first thread of a process has ended and others live on: /proc/PID/fd is empty
// then, which does not mean that the process has no sockets.
func TestAProcessWithoutItsFirstThread(t *testing.T) {
	t.Parallel()
	for _, all := range []bool{false, true} {
		pid, localText, peerText := testkit.Leaderless(t, nil)
		testkit.Until(t, "the first thread has ended", func() bool { return proc.Thread(pid) != pid })
		local, peer := netip.MustParseAddrPort(localText), netip.MustParseAddrPort(peerText)
		var inode uint32
		for s, err := range inspect.List(inspect.Filter{Local: []string{localText}}) {
			require.NoError(t, err)
			if s.Local == local && s.Peer == peer {
				inode = s.Inode
			}
		}
		require.NotZero(t, inode)
		var pids []int
		if !all {
			pids = []int{pid}
		}
		owners, err := inspect.FindOwners(pids...)
		require.NoError(t, err)
		var found *inspect.Owner
		for o := range owners.Of(inode) {
			if o.PID == pid {
				found = &o
			}
		}
		require.NotNil(t, found)
		assert.Equal(t, "exe", found.Process)
		for s, err := range inspect.List(inspect.Filter{Local: []string{localText}, Peer: []string{peerText}, Owners: owners, Settings: true}) {
			require.NoError(t, err)
			testkit.Need(t, !errors.Is(s.Unknown, fs.ErrPermission), "needs to trace its children (Yama)")
			testkit.Need(t, !errors.Is(s.Unknown, errors.ErrUnsupported), "needs Linux 6.9")
			require.NoError(t, s.Unknown)
			assert.True(t, s.Settings.Known.Has(platform.Idle))
		}
	}
}
