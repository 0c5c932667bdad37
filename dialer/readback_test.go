package dialer_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/configtest"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Not parallel: it counts descriptors.
func TestReadBackFindsWhatDidNotTake(t *testing.T) {
	for _, row := range []struct {
		option       platform.Option
		asked, holds int
	}{
		{platform.KeepAlive, 1, 0},
		{platform.Idle, 111, 15},
		{platform.Interval, 22, 15},
		{platform.Count, 3, 9},
		{platform.UserTimeout, askedValues.UserTimeout, 0},
	} {
		t.Run(row.option.String(), func(t *testing.T) {
			testkit.NeedReadable(t, row.option)
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			lying := lyingAbout(row.option, row.holds)
			leaks := testkit.StartLeakCheck(t)
			d := (&dialer.Dialer{Config: asked}).On(socket.OS{Calls: lying})
			c, err := d.Dial("tcp", l.Addr().String())
			require.ErrorContains(t, err, configtest.Differing(row.option, row.asked, row.holds))
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

			d = (&dialer.Dialer{Config: asked, WithoutReadBack: true}).On(socket.OS{Calls: lying})
			c, err = d.Dial("tcp", l.Addr().String())
			require.NoError(t, err, "WithoutReadBack believes it")
			assert.Equal(t, askedValues, testkit.ReadAny(t, testkit.Closing(t, c)), "and the options are set all the same")
		})
	}
}

func TestReadBackNamesEveryOption(t *testing.T) {
	t.Parallel()
	lying := lyingAbout(platform.KeepAlive, 2)
	var all []platform.Option
	for _, o := range []platform.Option{platform.Idle, platform.Interval, platform.Count, platform.UserTimeout} {
		if testkit.Lacks(o) == "" {
			all = append(all, o)
			lying.Answer[configtest.At(o)] = 99
		}
	}
	testkit.NeedReadable(t, all...)
	address := loopback(t).Addr().String()
	if len(all) == 0 {
		t.Skip("there is no option to lie about")
	}
	d := (&dialer.Dialer{Config: asked}).On(socket.OS{Calls: lying})
	_, err := d.Dial("tcp", address)
	for _, o := range all {
		assert.ErrorContains(t, err, testkit.Of(o).Symbol)
	}
	assert.NotContains(t, err.Error(), "SO_KEEPALIVE", "any bit of the flag is on")
}

func TestReadBackOnlyWhatWasAsked(t *testing.T) {
	t.Parallel()
	testkit.NeedReadable(t, platform.UserTimeout)
	lying := lyingAbout(platform.UserTimeout, 99)
	d := (&dialer.Dialer{Config: askedEarly}).On(socket.OS{Calls: lying})
	c, err := d.Dial("tcp", loopback(t).Addr().String())
	require.NoError(t, err)
	testkit.Closing(t, c)
}

func TestPin(t *testing.T) {
	t.Parallel()
	d := dialer.Dialer{Config: asked, Pin: true}
	c, err := d.Dial("tcp", loopback(t).Addr().String())
	require.NoError(t, err)
	testkit.Closing(t, c)
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
	assert.Equal(t, askedValues, testkit.ReadAny(t, c))
	changed := sockopt.Config{Idle: 50 * time.Second}
	configtest.Takes(t, changed)
	require.NoError(t, sockopt.Set(c, changed), "who means it can still change them")
	assert.Equal(t, testkit.Make(1, 50, 22, 3, 44444), testkit.ReadAny(t, c))
}
