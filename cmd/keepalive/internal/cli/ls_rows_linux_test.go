package cli

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/platform"
)

// All that is known of a socket is read through another of those who have it open where
// the first has ended, as the child of another keepalive that has just read it.
func TestAnOwnerThatHasEnded(t *testing.T) {
	t.Parallel()
	client, _ := socktest.Pair(t, "tcp4", "127.0.0.1:0")
	report, err := inspect.Of(client)
	require.NoError(t, err)
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		const rtoMax = 44 // TCP_RTO_MAX_MS
		ms, rtoErr := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, rtoMax)
		rows := []row{{
			Report: report,
			owners: []inspect.Owner{{PID: 1 << 30, FD: 3}, {PID: os.Getpid(), FD: int(fd)}},
		}}
		var v survey
		defer v.peeker.Close()
		rows[0].Settings = platform.Settings{}
		v.peek(rows)
		require.NoError(t, rows[0].unreadable)
		assert.Equal(t, report.Settings, rows[0].Settings)
		if rtoErr == nil { // since Linux 6.15
			assert.Equal(t, time.Duration(ms)*time.Millisecond, rows[0].longestRTO)
		}
	}))
}
