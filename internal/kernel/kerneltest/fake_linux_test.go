package kerneltest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/platform"
)

// The socket of Linux' table takes, refuses and holds what a real one does.
func TestFakeOfLinuxIsLikeLinux(t *testing.T) {
	t.Parallel()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	table := platform.Current()
	running, fake := kerneltest.Running(), kerneltest.Of(table)
	for _, s := range append(table.Specs, platform.Spec{Option: platform.Idle, Symbol: "no option", Level: unix.IPPROTO_TCP, Number: 9999, Max: 100}) {
		values := []int64{1, s.Max, s.Max + 1, 0, -1}
		if s.Option == platform.KeepAlive {
			values = []int64{1, 0} // the flag takes every number
		}
		for _, value := range values {
			want, got := running.Set(uintptr(fd), s.Level, s.Number, int(value)), fake.Set(0, s.Level, s.Number, int(value))
			assert.Equal(t, want, got, "%s=%d", s.Symbol, value)
			holds, want := running.Get(uintptr(fd), s.Level, s.Number)
			held, got := fake.Get(0, s.Level, s.Number)
			assert.Equal(t, want, got, s.Symbol)
			assert.Equal(t, holds, held, "%s after %d", s.Symbol, value)
		}
	}
}
