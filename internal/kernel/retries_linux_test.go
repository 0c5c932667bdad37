package kernel

import (
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

func TestSystemRetries(t *testing.T) {
	t.Parallel()
	var fd int
	want := Retries{Data: 5, Orphan: 3, SYN: 2, LinearSYN: 4, LongestRTO: 120 * time.Second, Multipath: time.Minute}
	testkit.InNamespace(t, func() {
		got, err := SystemRetries()
		require.NoError(t, err)
		assert.Equal(t, DefaultRetries(), got, "a new network namespace of Linux 6.5 and later")
		for name, value := range map[string]string{"tcp_retries2": "5", "tcp_orphan_retries": "3", "tcp_syn_retries": "2"} {
			require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0))
		}
		got, err = SystemRetries()
		require.NoError(t, err)
		assert.Equal(t, want, got)
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		require.NoError(t, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_SYNCNT, 9))
	})
	defer unix.Close(fd)
	want.SYN = 9
	got, err := SystemRetriesOf(uintptr(fd))
	require.NoError(t, err)
	assert.Equal(t, want, got, "asked from another namespace")
}

func TestRetriesWithoutProcAreNotKnown(t *testing.T) {
	t.Parallel()
	if !testkit.InChild(t, nil) {
		return
	}
	testkit.HideProc(t)
	got, err := SystemRetries()
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Zero(t, got)
}

// Times of Documentation/networking/ip-sysctl.rst, and measured ones.
func TestTimesOfRetries(t *testing.T) {
	t.Parallel()
	r := DefaultRetries()
	require.NoError(t, r.Validate())
	assert.Equal(t, 924600*time.Millisecond, r.DataTimeout())
	assert.Equal(t, 102200*time.Millisecond, r.OrphanTimeout())
	assert.Equal(t, 131*time.Second, r.ConnectTimeout())
	r.LinearSYN = 0
	assert.Equal(t, 127*time.Second, r.ConnectTimeout(), "before Linux 6.5")
	r.Data = 5
	assert.Equal(t, 12600*time.Millisecond, r.DataTimeout())
	r = DefaultRetries()
	r.LongestRTO = time.Second
	assert.Equal(t, 14400*time.Millisecond, r.DataTimeout())
	assert.Equal(t, 7*time.Second, r.ConnectTimeout())
	r.Data = 255
	assert.Greater(t, r.DataTimeout(), 254*time.Second)
}
