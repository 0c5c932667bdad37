//go:build linux

package dialer_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// lyingAbout is a kernel that accepts everything and holds something else for
// that option.
func lyingAbout(level, number, holds int) *kerneltest.Fake {
	k := kerneltest.Running()
	k.Answer[kerneltest.At{level, number}] = holds
	return k
}

// Not parallel: it counts descriptors.
func TestReadBackFindsWhatDidNotTake(t *testing.T) {
	for _, row := range []struct {
		symbol               string
		level, number, holds int
		text                 string
	}{
		{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0, "SO_KEEPALIVE: asked for 1, the kernel holds 0"},
		{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15, "TCP_KEEPIDLE: asked for 111, the kernel holds 15"},
		{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15, "TCP_KEEPINTVL: asked for 22, the kernel holds 15"},
		{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9, "TCP_KEEPCNT: asked for 3, the kernel holds 9"},
		{"TCP_USER_TIMEOUT", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 0, "TCP_USER_TIMEOUT: asked for 44444, the kernel holds 0"},
	} {
		t.Run(row.symbol, func(t *testing.T) {
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			lying := lyingAbout(row.level, row.number, row.holds)
			leaks := socktest.StartLeakCheck(t)
			d := (&dialer.Dialer{Config: asked}).WithKernel(lying)
			c, err := d.Dial("tcp", l.Addr().String())
			require.ErrorContains(t, err, row.text)
			assert.Nil(t, c)
			var op *net.OpError
			require.ErrorAs(t, err, &op)
			assert.Equal(t, "dial", op.Op)
			assert.NotNil(t, op.Source)
			assert.Equal(t, l.Addr().String(), op.Addr.String())
			var mismatch *platform.MismatchError
			require.ErrorAs(t, err, &mismatch)
			assert.Equal(t, row.holds, mismatch.Got)

			// The other side sees the connection closed, not abandoned.
			server, err := l.Accept()
			require.NoError(t, err)
			require.NoError(t, server.SetReadDeadline(time.Now().Add(5*time.Second)))
			_, err = server.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
			require.NoError(t, server.Close())
			leaks.End(t)

			d = (&dialer.Dialer{Config: asked, WithoutReadBack: true}).WithKernel(lying)
			c, err = d.Dial("tcp", l.Addr().String())
			require.NoError(t, err, "WithoutReadBack believes it")
			assert.Equal(t, askedValues, socktest.ReadAny(t, socktest.Closing(t, c)), "and the options are set all the same")
		})
	}
}

func TestReadBackNamesEveryOption(t *testing.T) {
	t.Parallel()
	lying := lyingAbout(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 2)
	for _, number := range []int{unix.TCP_KEEPIDLE, unix.TCP_KEEPINTVL, unix.TCP_KEEPCNT, unix.TCP_USER_TIMEOUT} {
		lying.Answer[kerneltest.At{unix.IPPROTO_TCP, number}] = 99
	}
	d := (&dialer.Dialer{Config: asked}).WithKernel(lying)
	_, err := d.Dial("tcp", loopback(t).Addr().String())
	for _, symbol := range []string{"TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT"} {
		assert.ErrorContains(t, err, symbol)
	}
	assert.NotContains(t, err.Error(), "SO_KEEPALIVE", "any bit of the flag is on")
}

func TestReadBackOnlyWhatWasAsked(t *testing.T) {
	t.Parallel()
	lying := lyingAbout(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 99)
	d := (&dialer.Dialer{Config: askedEarly}).WithKernel(lying)
	c, err := d.Dial("tcp", loopback(t).Addr().String())
	require.NoError(t, err)
	socktest.Closing(t, c)
}

func TestPin(t *testing.T) {
	t.Parallel()
	d := dialer.Dialer{Config: asked, Pin: true}
	c, err := d.Dial("tcp", loopback(t).Addr().String())
	require.NoError(t, err)
	socktest.Closing(t, c)
	_, isTCP := c.(*net.TCPConn)
	assert.False(t, isTCP, "invisible to c.(*net.TCPConn)")
	setters, ok := c.(interface {
		SetKeepAlive(bool) error
		SetKeepAlivePeriod(time.Duration) error
		SetKeepAliveConfig(net.KeepAliveConfig) error
		CloseWrite() error
	})
	require.True(t, ok)
	assert.ErrorIs(t, setters.SetKeepAlive(false), sockopt.ErrPinned)
	assert.ErrorIs(t, setters.SetKeepAlivePeriod(time.Second), sockopt.ErrPinned)
	assert.ErrorIs(t, setters.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true}), sockopt.ErrPinned)
	assert.Equal(t, askedValues, socktest.ReadAny(t, c))
	require.NoError(t, sockopt.Set(c, sockopt.Config{Idle: 50 * time.Second}), "who means it can still change them")
	assert.Equal(t, socktest.Values{KeepAlive: 1, Idle: 50, Interval: 22, Count: 3, UserTimeout: 44444}, socktest.ReadAny(t, c))
}
