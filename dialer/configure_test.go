//go:build linux

package dialer_test

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
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestConfigureInPlace(t *testing.T) {
	t.Parallel()
	def := socktest.Untouched()
	for rule, row := range map[string]struct {
		dialer net.Dialer
		config sockopt.Config
		want   socktest.Values
	}{
		"everything":                     {net.Dialer{}, asked, askedValues},
		"Recommended":                    {net.Dialer{}, sockopt.Recommended(), socktest.Make(1, 30, 10, 3, 60000)},
		"no user timeout":                {net.Dialer{}, askedEarly, socktest.NoUserTimeout(askedValues)},
		"nothing asked: on, rest system": {net.Dialer{}, sockopt.Config{}, socktest.SwitchedOn()},
		"Disabled":                       {net.Dialer{}, sockopt.Config{Disabled: true}, def},
		"KeepAlive is overruled":         {net.Dialer{KeepAlive: 30 * time.Second}, askedEarly, socktest.NoUserTimeout(askedValues)},
		"KeepAliveConfig is overruled":   {net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Minute}}, askedEarly, socktest.NoUserTimeout(askedValues)},
		"NoUserTimeout is no user timeout": {
			net.Dialer{Control: setAsked}, sockopt.Config{UserTimeout: sockopt.NoUserTimeout}, socktest.NoUserTimeout(askedValues)},
		"the hook that was there runs first": {
			net.Dialer{Control: setAsked}, sockopt.Config{Count: 5}, socktest.Make(1, 111, 22, 5, 44444)},
		"ControlContext wins over Control": {
			net.Dialer{
				Control: func(string, string, syscall.RawConn) error { return errors.New("Control ran") },
				ControlContext: func(_ context.Context, network, address string, c syscall.RawConn) error {
					return setAsked(network, address, c)
				},
			}, sockopt.Config{Count: 5}, socktest.Make(1, 111, 22, 5, 44444)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, dialer.Configure(&row.dialer, row.config))
			assert.Negative(t, row.dialer.KeepAlive)
			assert.Zero(t, row.dialer.KeepAliveConfig)
			c, err := row.dialer.Dial("tcp", loopback(t).Addr().String())
			require.NoError(t, err)
			assert.Equal(t, row.want, socktest.ReadAny(t, socktest.Closing(t, c)))
		})
	}
}

func TestConfigureUserTimeoutBoundsTheHandshake(t *testing.T) {
	t.Parallel()
	d := net.Dialer{Timeout: 10 * time.Second}
	require.NoError(t, dialer.Configure(&d, sockopt.Config{UserTimeout: 1200 * time.Millisecond}))
	address, _ := blackhole(t, unix.AF_INET)
	start := time.Now()
	_, err := d.Dial("tcp", address)
	require.ErrorIs(t, err, unix.ETIMEDOUT)
	assert.Less(t, time.Since(start), 3*time.Second)
}

func TestConfigureAgain(t *testing.T) {
	t.Parallel()
	var calls int
	d := net.Dialer{Control: func(string, string, syscall.RawConn) error { calls++; return nil }}
	require.NoError(t, dialer.Configure(&d, sockopt.Config{Idle: 50 * time.Second, Interval: 5 * time.Second, Count: 7}))
	require.NoError(t, dialer.Configure(&d, askedEarly))
	c, err := d.Dial("tcp4", loopback(t).Addr().String())
	require.NoError(t, err)
	assert.Equal(t, socktest.NoUserTimeout(askedValues), socktest.ReadAny(t, socktest.Closing(t, c)), "the last one holds")
	assert.Equal(t, 1, calls, "the user's hook runs once for a socket")
}

func TestConfigureCopies(t *testing.T) {
	t.Parallel()
	template := net.Dialer{Timeout: 5 * time.Second}
	require.NoError(t, dialer.Configure(&template, askedEarly))
	first, second := template, template
	require.NoError(t, dialer.Configure(&second, sockopt.Config{Idle: 50 * time.Second}))
	address := loopback(t).Addr().String()
	c, err := first.Dial("tcp4", address)
	require.NoError(t, err)
	assert.Equal(t, socktest.NoUserTimeout(askedValues), socktest.ReadAny(t, socktest.Closing(t, c)), "a copy's new Config is not the original's")
}

func TestConfigureLeavesOtherNetworksAlone(t *testing.T) {
	t.Parallel()
	var d net.Dialer
	require.NoError(t, dialer.Configure(&d, asked))
	l := serve(t, "unix", t.TempDir()+"/s", false)
	c, err := d.Dial("unix", l.Addr().String())
	require.NoError(t, err)
	assert.Zero(t, socketKeepAlive(t, socktest.Closing(t, c).(syscall.Conn)))
	u, err := d.Dial("udp", "127.0.0.1:9")
	require.NoError(t, err)
	assert.Zero(t, socketKeepAlive(t, socktest.Closing(t, u).(syscall.Conn)))
}

func TestConfigureErrors(t *testing.T) {
	t.Parallel()
	invalid := sockopt.Config{Idle: 40000 * time.Second}
	for rule, row := range map[string]struct {
		config sockopt.Config
		text   string
	}{
		"an invalid Config":       {invalid, "TCP_KEEPIDLE on linux takes 1s"},
		"a negative user timeout": {sockopt.Config{UserTimeout: -2}, "user-timeout=-2ns is negative"},
		"both wrong, a user timeout that is invalid": {
			sockopt.Config{Idle: 40000 * time.Second, UserTimeout: time.Minute}, "40000"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			d := net.Dialer{KeepAlive: 30 * time.Second, Control: setAsked,
				KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Minute}}
			err := dialer.Configure(&d, row.config)
			require.ErrorContains(t, err, row.text)
			assert.Equal(t, 30*time.Second, d.KeepAlive, "unchanged")
			assert.Equal(t, net.KeepAliveConfig{Enable: true, Idle: time.Minute}, d.KeepAliveConfig)
			assert.Equal(t, reflect.ValueOf(setAsked).Pointer(), reflect.ValueOf(d.Control).Pointer())
			assert.Nil(t, d.ControlContext)
		})
	}
}

func TestConfigureHookErrors(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused by the user's hook")
	d := net.Dialer{Control: func(string, string, syscall.RawConn) error { return refused }}
	require.NoError(t, dialer.Configure(&d, askedEarly))
	_, err := d.Dial("tcp", loopback(t).Addr().String())
	require.ErrorIs(t, err, refused)
	assert.NotContains(t, err.Error(), "keepalive")
}

func TestConfigureUserTimeoutFallsBackFromMultipath(t *testing.T) {
	t.Parallel()
	socktest.NeedMultipath(t)
	off := askedEarly
	off.UserTimeout = sockopt.NoUserTimeout
	for rule, row := range map[string]struct {
		config sockopt.Config
		kind   kernel.Kind
		want   socktest.Values
	}{
		"with a user timeout":              {asked, kernel.TCP, askedValues},
		"switched off, which it is anyway": {off, kernel.MultipathTCP, socktest.Make(1, 111, 22, 3, -1)},
		"without":                          {askedEarly, kernel.MultipathTCP, socktest.Make(1, 111, 22, 3, -1)}, // which cannot be read there
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			var d net.Dialer
			d.SetMultipathTCP(true)
			require.NoError(t, dialer.Configure(&d, row.config))
			c, err := d.Dial("tcp4", serve(t, "tcp4", "127.0.0.1:0", true).Addr().String())
			require.NoError(t, err)
			socktest.Closing(t, c)
			kind, err := socket.KindOf(c)
			require.NoError(t, err)
			assert.Equal(t, row.kind, kind)
			assert.Equal(t, row.want, socktest.ReadAny(t, c))
		})
	}
}
