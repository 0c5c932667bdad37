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

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/configtest"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestConfigureInPlace(t *testing.T) {
	t.Parallel()
	def := testkit.Untouched()
	for rule, row := range map[string]struct {
		dialer net.Dialer
		config sockopt.Config
		want   testkit.Values
	}{
		"everything":                     {net.Dialer{}, asked, askedValues},
		"Recommended":                    {net.Dialer{}, configtest.Available(sockopt.Recommended()), testkit.Make(1, 30, 10, 3, 60000)},
		"no user timeout":                {net.Dialer{}, askedEarly, testkit.NoUserTimeout(askedValues)},
		"nothing asked: on, rest system": {net.Dialer{}, sockopt.Config{}, testkit.SwitchedOn()},
		"Disabled":                       {net.Dialer{}, sockopt.Config{Disabled: true}, def},
		"KeepAlive is overruled":         {net.Dialer{KeepAlive: 30 * time.Second}, askedEarly, testkit.NoUserTimeout(askedValues)},
		"KeepAliveConfig is overruled":   {net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Minute}}, askedEarly, testkit.NoUserTimeout(askedValues)},
		"NoUserTimeout is no user timeout": {
			net.Dialer{Control: setAsked}, sockopt.Config{UserTimeout: sockopt.NoUserTimeout}, testkit.NoUserTimeout(askedValues)},
		"the hook that was there runs first": {
			net.Dialer{Control: setAsked}, sockopt.Config{Count: 5}, testkit.Make(1, 111, 22, 5, 44444)},
		"ControlContext wins over Control": {
			net.Dialer{
				Control: func(string, string, syscall.RawConn) error { return errors.New("Control ran") },
				ControlContext: func(_ context.Context, network, address string, c syscall.RawConn) error {
					return setAsked(network, address, c)
				},
			}, sockopt.Config{Count: 5}, testkit.Make(1, 111, 22, 5, 44444)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			configtest.Takes(t, row.config)
			require.NoError(t, dialer.Configure(&row.dialer, row.config))
			assert.Negative(t, row.dialer.KeepAlive)
			assert.Zero(t, row.dialer.KeepAliveConfig)
			c, err := row.dialer.Dial("tcp", loopback(t).Addr().String())
			require.NoError(t, err)
			assert.Equal(t, row.want, testkit.ReadAny(t, testkit.Closing(t, c)))
		})
	}
}

func TestConfigureAgain(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	var calls int
	d := net.Dialer{Control: func(string, string, syscall.RawConn) error { calls++; return nil }}
	require.NoError(t, dialer.Configure(&d, configtest.Available(sockopt.Config{Idle: 50 * time.Second, Interval: 5 * time.Second, Count: 7})))
	require.NoError(t, dialer.Configure(&d, askedEarly))
	c, err := d.Dial("tcp4", loopback(t).Addr().String())
	require.NoError(t, err)
	assert.Equal(t, testkit.NoUserTimeout(askedValues), testkit.ReadAny(t, testkit.Closing(t, c)), "the last one holds")
	assert.Equal(t, 1, calls, "the user's hook runs once for a socket")
}

func TestConfigureCopies(t *testing.T) {
	t.Parallel()
	changed := sockopt.Config{Idle: 50 * time.Second}
	configtest.Takes(t, changed)
	template := net.Dialer{Timeout: 5 * time.Second}
	require.NoError(t, dialer.Configure(&template, askedEarly))
	first, second := template, template
	require.NoError(t, dialer.Configure(&second, changed))
	address := loopback(t).Addr().String()
	c, err := first.Dial("tcp4", address)
	require.NoError(t, err)
	assert.Equal(t, testkit.NoUserTimeout(askedValues), testkit.ReadAny(t, testkit.Closing(t, c)), "a copy's new Config is not the original's")
}

func TestConfigureLeavesOtherNetworksAlone(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	var d net.Dialer
	require.NoError(t, dialer.Configure(&d, asked))
	testkit.NeedUDP(t)
	u, err := d.Dial("udp", "127.0.0.1:9")
	require.NoError(t, err)
	assert.False(t, testkit.IsOn(t, testkit.Closing(t, u)))
	l := serve(t, "unix", testkit.UnixPath(t), false)
	c, err := d.Dial("unix", l.Addr().String())
	require.NoError(t, err)
	assert.False(t, testkit.IsOn(t, testkit.Closing(t, c)))
}

func TestConfigureHookErrors(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	refused := errors.New("refused by the user's hook")
	d := net.Dialer{Control: func(string, string, syscall.RawConn) error { return refused }}
	require.NoError(t, dialer.Configure(&d, askedEarly))
	_, err := d.Dial("tcp", loopback(t).Addr().String())
	require.ErrorIs(t, err, refused)
	assert.NotContains(t, err.Error(), "keepalive")
}

func TestConfigureErrors(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		config sockopt.Config
		text   string
	}{
		"an invalid Config":       {sockopt.Config{Count: -1}, "count=-1 is negative"},
		"a negative user timeout": {sockopt.Config{UserTimeout: -2}, "user-timeout=-2ns is negative"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			configureRefuses(t, row.config, row.text)
		})
	}
}

// configureRefuses wants the error and a Dialer that is as it was.
func configureRefuses(t *testing.T, cfg sockopt.Config, text string) {
	t.Helper()
	d := net.Dialer{KeepAlive: 30 * time.Second, Control: setAsked,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Minute}}
	err := dialer.Configure(&d, cfg)
	require.ErrorContains(t, err, text)
	assert.Equal(t, 30*time.Second, d.KeepAlive, "unchanged")
	assert.Equal(t, net.KeepAliveConfig{Enable: true, Idle: time.Minute}, d.KeepAliveConfig)
	assert.Equal(t, reflect.ValueOf(setAsked).Pointer(), reflect.ValueOf(d.Control).Pointer())
	assert.Nil(t, d.ControlContext)
}
