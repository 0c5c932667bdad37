package listener_test

import (
	"context"
	"errors"
	"net"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/configtest"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestConfigureInPlace(t *testing.T) {
	t.Parallel()
	def := testkit.Untouched()
	multipath := net.ListenConfig{}
	multipath.SetMultipathTCP(true)
	for rule, row := range map[string]struct {
		lc     net.ListenConfig
		config sockopt.Config
		want   testkit.Values
	}{
		"a zero net.ListenConfig, user timeout as well": {net.ListenConfig{}, asked, askedValues},
		"nothing asked: on, the rest as the system":     {net.ListenConfig{}, sockopt.Config{}, testkit.SwitchedOn()},
		"Disabled":                           {net.ListenConfig{}, sockopt.Config{Disabled: true}, def},
		"KeepAlive is overruled":             {net.ListenConfig{KeepAlive: 30 * time.Second}, asked, askedValues},
		"KeepAliveConfig is overruled":       {net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true}}, asked, askedValues},
		"Multipath TCP is switched off":      {multipath, asked, askedValues},
		"the hook that was there runs first": {net.ListenConfig{Control: setAsked}, sockopt.Config{Count: 5}, testkit.Make(1, 111, 22, 5, 44444)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			configtest.Takes(t, row.config)
			inherited(t, row.config)
			require.NoError(t, listener.Configure(&row.lc, row.config))
			assert.Negative(t, row.lc.KeepAlive)
			assert.Zero(t, row.lc.KeepAliveConfig)
			assert.False(t, row.lc.MultipathTCP())
			l := opened(t)(row.lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
			assert.True(t, isPlain(t, l))
			assert.Equal(t, row.want, testkit.ReadAny(t, accept(t, l, false)))
		})
	}
}

func TestConfigureAgain(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	inherited(t, asked)
	var calls int
	lc := net.ListenConfig{Control: func(string, string, syscall.RawConn) error { calls++; return nil }}
	require.NoError(t, listener.Configure(&lc, configtest.Available(sockopt.Config{Idle: 50 * time.Second, Interval: 5 * time.Second, Count: 7, UserTimeout: time.Second})))
	require.NoError(t, listener.Configure(&lc, asked))
	l := opened(t)(lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
	assert.Equal(t, askedValues, testkit.ReadAny(t, accept(t, l, false)), "the last one holds")
	assert.Equal(t, 1, calls, "the user's hook runs once for a socket")
}

func TestConfigureLeavesUnixAlone(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	inherited(t, asked)
	var lc net.ListenConfig
	require.NoError(t, listener.Configure(&lc, asked))
	l := opened(t)(lc.Listen(context.Background(), "unix", testkit.UnixPath(t)))
	accept(t, l, false)
	p, err := lc.ListenPacket(context.Background(), "udp4", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, p.Close())
}

func TestConfigureHookError(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	inherited(t, asked)
	refused := errors.New("refused by the user's hook")
	lc := net.ListenConfig{Control: func(string, string, syscall.RawConn) error { return refused }}
	require.NoError(t, listener.Configure(&lc, asked))
	_, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.ErrorIs(t, err, refused)
	assert.NotContains(t, err.Error(), "keepalive")
}

func TestConfigureErrorsChangeNothing(t *testing.T) {
	t.Parallel()
	configureRefuses(t, sockopt.Config{Count: -1}, "count=-1 is negative")
}

// A net.ListenConfig has no moment after accept, so that where one is needed Configure
// refuses, and says what to use.
func TestConfigureHere(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	if why := configtest.NotInherited(asked); why != "" {
		err := configureRefuses(t, asked, "use listener.ListenConfig or listener.Wrap")
		assert.ErrorIs(t, err, errors.ErrUnsupported, why)
		return
	}
	require.NoError(t, listener.Configure(new(net.ListenConfig), asked))
}

// configureRefuses wants the error and a ListenConfig that is as it was.
func configureRefuses(t *testing.T, cfg sockopt.Config, text string) error {
	t.Helper()
	lc := net.ListenConfig{Control: setAsked, KeepAlive: time.Minute, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Hour}}
	lc.SetMultipathTCP(true)
	err := listener.Configure(&lc, cfg)
	require.ErrorContains(t, err, text)
	assert.Equal(t, time.Minute, lc.KeepAlive)
	assert.Equal(t, net.KeepAliveConfig{Enable: true, Idle: time.Hour}, lc.KeepAliveConfig)
	assert.Equal(t, reflect.ValueOf(setAsked).Pointer(), reflect.ValueOf(lc.Control).Pointer())
	assert.True(t, lc.MultipathTCP())
	return err
}
