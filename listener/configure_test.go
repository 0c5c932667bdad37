//go:build linux

package listener_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestConfigureInPlace(t *testing.T) {
	t.Parallel()
	def := socktest.Untouched()
	multipath := net.ListenConfig{}
	multipath.SetMultipathTCP(true)
	for rule, row := range map[string]struct {
		lc     net.ListenConfig
		config sockopt.Config
		want   socktest.Values
	}{
		"a zero net.ListenConfig, user timeout as well": {net.ListenConfig{}, asked, askedValues},
		"nothing asked: on, the rest as the system":     {net.ListenConfig{}, sockopt.Config{}, socktest.SwitchedOn()},
		"Disabled":                           {net.ListenConfig{}, sockopt.Config{Disabled: true}, def},
		"KeepAlive is overruled":             {net.ListenConfig{KeepAlive: 30 * time.Second}, asked, askedValues},
		"KeepAliveConfig is overruled":       {net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true}}, asked, askedValues},
		"Multipath TCP is switched off":      {multipath, asked, askedValues},
		"the hook that was there runs first": {net.ListenConfig{Control: setAsked}, sockopt.Config{Count: 5}, socktest.Make(1, 111, 22, 5, 44444)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, listener.Configure(&row.lc, row.config))
			assert.Negative(t, row.lc.KeepAlive)
			assert.Zero(t, row.lc.KeepAliveConfig)
			assert.False(t, row.lc.MultipathTCP())
			l := opened(t)(row.lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
			assert.Equal(t, unix.IPPROTO_TCP, protocolOf(t, l))
			assert.Equal(t, row.want, socktest.ReadAny(t, accept(t, l, false)))
		})
	}
}

func TestConfigureAgain(t *testing.T) {
	t.Parallel()
	var calls int
	lc := net.ListenConfig{Control: func(string, string, syscall.RawConn) error { calls++; return nil }}
	require.NoError(t, listener.Configure(&lc, sockopt.Config{Idle: 50 * time.Second, Interval: 5 * time.Second, Count: 7, UserTimeout: time.Second}))
	require.NoError(t, listener.Configure(&lc, asked))
	l := opened(t)(lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
	assert.Equal(t, askedValues, socktest.ReadAny(t, accept(t, l, false)), "the last one holds")
	assert.Equal(t, 1, calls, "the user's hook runs once for a socket")
}

func TestConfigureThenMultipath(t *testing.T) {
	t.Parallel()
	socktest.NeedMultipath(t)
	off := askedEarly
	off.UserTimeout = sockopt.NoUserTimeout
	for rule, row := range map[string]struct {
		config   sockopt.Config
		protocol int
		want     socktest.Values
	}{
		"stays it with one that is switched off":              {off, unix.IPPROTO_MPTCP, socktest.NoUserTimeout(askedValues)},
		"stays Multipath TCP without a user timeout":          {askedEarly, unix.IPPROTO_MPTCP, socktest.NoUserTimeout(askedValues)},
		"falls back to plain TCP for the user timeout's sake": {asked, unix.IPPROTO_TCP, askedValues},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			var lc net.ListenConfig
			require.NoError(t, listener.Configure(&lc, row.config))
			lc.SetMultipathTCP(true)
			l := opened(t)(lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
			assert.Equal(t, row.protocol, protocolOf(t, l))
			assert.Equal(t, row.want, socktest.ReadAny(t, accept(t, l, false)))
		})
	}
}

func TestConfigureLeavesUnixAlone(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	require.NoError(t, listener.Configure(&lc, asked))
	l := opened(t)(lc.Listen(context.Background(), "unix", filepath.Join(t.TempDir(), "s")))
	accept(t, l, false)
	p, err := lc.ListenPacket(context.Background(), "udp4", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, p.Close())
}

func TestConfigureErrorsChangeNothing(t *testing.T) {
	t.Parallel()
	lc := net.ListenConfig{Control: setAsked, KeepAlive: time.Minute, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Hour}}
	lc.SetMultipathTCP(true)
	err := listener.Configure(&lc, sockopt.Config{Idle: 40000 * time.Second})
	require.ErrorContains(t, err, "TCP_KEEPIDLE on linux takes 1s")
	assert.Equal(t, time.Minute, lc.KeepAlive)
	assert.Equal(t, net.KeepAliveConfig{Enable: true, Idle: time.Hour}, lc.KeepAliveConfig)
	assert.Equal(t, reflect.ValueOf(setAsked).Pointer(), reflect.ValueOf(lc.Control).Pointer())
	assert.True(t, lc.MultipathTCP())
}

func TestConfigureHookError(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused by the user's hook")
	lc := net.ListenConfig{Control: func(string, string, syscall.RawConn) error { return refused }}
	require.NoError(t, listener.Configure(&lc, asked))
	_, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.ErrorIs(t, err, refused)
	assert.NotContains(t, err.Error(), "keepalive")
}
