package dialer_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/configtest"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestConnectionHasExactlyTheConfig(t *testing.T) {
	t.Parallel()
	def := testkit.Untouched()
	for rule, row := range map[string]struct {
		config sockopt.Config
		want   testkit.Values
	}{
		"everything":                            {asked, askedValues},
		"nothing: on, the rest as the system":   {sockopt.Config{}, testkit.SwitchedOn()},
		"idle only":                             {sockopt.Config{Idle: 111 * time.Second}, testkit.Make(1, 111, def.Interval, def.Count, 0)},
		"interval only":                         {sockopt.Config{Interval: 22 * time.Second}, testkit.Make(1, def.Idle, 22, def.Count, 0)},
		"count only":                            {sockopt.Config{Count: 3}, testkit.Make(1, def.Idle, def.Interval, 3, 0)},
		"user timeout only":                     {sockopt.Config{UserTimeout: 44444 * time.Millisecond}, testkit.Make(1, def.Idle, def.Interval, def.Count, 44444)},
		"NoUserTimeout is 0":                    {sockopt.Config{UserTimeout: sockopt.NoUserTimeout}, testkit.SwitchedOn()},
		"Disabled":                              {sockopt.Config{Disabled: true}, def},
		"Disabled stores the rest all the same": {sockopt.Config{Disabled: true, Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3, UserTimeout: 44444 * time.Millisecond}, testkit.Make(0, 111, 22, 3, 44444)},
		"fractions are rounded up":              {sockopt.Config{Idle: 1500 * time.Millisecond, Interval: 1, Count: 1, UserTimeout: 1}, testkit.Make(1, 2, 1, 1, 1)},
		"the smallest values":                   {sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 1, UserTimeout: time.Millisecond}, testkit.Make(1, 1, 1, 1, 1)},
		"the largest values":                    {sockopt.Config{Idle: 32767 * time.Second, Interval: 32767 * time.Second, Count: 127, UserTimeout: (1<<31 - 1) * time.Millisecond}, testkit.Make(1, 32767, 32767, 127, 1<<31-1)},
		"Recommended is 30 10 3 and a minute":   {configtest.Available(sockopt.Recommended()), testkit.Make(1, 30, 10, 3, 60000)},
		"Go's own values, when asked for":       {sockopt.Config{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}, testkit.Make(1, 15, 15, 9, 0)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			configtest.Takes(t, row.config)
			d, err := dialer.New(row.config)
			require.NoError(t, err)
			address := loopback(t).Addr().String()
			for range 2 { // the first dial prepares what the second uses
				c, err := d.Dial("tcp", address)
				require.NoError(t, err)
				testkit.Closing(t, c)
				assert.IsType(t, (*net.TCPConn)(nil), c)
				assert.Equal(t, row.want, testkit.ReadAny(t, c))
			}
		})
	}
}

func TestZeroDialerIsReady(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	var d dialer.Dialer
	require.NoError(t, d.Check())
	c, err := d.Dial("tcp", loopback(t).Addr().String())
	require.NoError(t, err)
	assert.Equal(t, testkit.SwitchedOn(), testkit.ReadAny(t, testkit.Closing(t, c)))
}

// As with a net.Dialer, every dial goes by the fields as they are.
func TestFieldsChangedBetweenDials(t *testing.T) {
	t.Parallel()
	address := loopback(t).Addr().String()
	dial := func(t *testing.T, d *dialer.Dialer) net.Conn {
		t.Helper()
		c, err := d.Dial("tcp", address)
		require.NoError(t, err)
		return testkit.Closing(t, c)
	}
	begun := func(t *testing.T) *dialer.Dialer {
		d, err := dialer.New(asked)
		require.NoError(t, err)
		assert.Equal(t, askedValues, testkit.ReadAny(t, dial(t, d)))
		return d
	}
	for field, change := range map[string]func(t *testing.T, d *dialer.Dialer){
		"Config": func(t *testing.T, d *dialer.Dialer) {
			d.Config = sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 5}
			configtest.Takes(t, d.Config)
			assert.Equal(t, testkit.Make(1, 111, 22, 5, 0), testkit.ReadAny(t, dial(t, d)))
		},
		"Config, to one that is refused and back": func(t *testing.T, d *dialer.Dialer) {
			d.Config.Count = -1000
			_, err := d.Dial("tcp", address)
			require.ErrorContains(t, err, "count=-1000 is negative")
			require.ErrorContains(t, d.Check(), "count=-1000 is negative")
			d.Config = asked
			require.NoError(t, d.Check())
			assert.Equal(t, askedValues, testkit.ReadAny(t, dial(t, d)))
		},
		"Base, for TCP as for other networks": func(t *testing.T, d *dialer.Dialer) {
			refused := errors.New("refused by the user's hook")
			d.Base.Control = func(string, string, syscall.RawConn) error { return refused }
			_, err := d.Dial("tcp", address)
			require.ErrorIs(t, err, refused)
			testkit.NeedUDP(t)
			_, err = d.Dial("udp", address)
			require.ErrorIs(t, err, refused)
		},
		"Pin": func(t *testing.T, d *dialer.Dialer) {
			d.Pin = true
			assert.ErrorIs(t, dial(t, d).(interface{ SetKeepAlive(bool) error }).SetKeepAlive(false), sockopt.ErrPinned)
		},
		"WithoutReadBack": func(t *testing.T, d *dialer.Dialer) {
			testkit.NeedReadable(t, platform.Idle)
			d.On(socket.OS{Calls: lyingAbout(platform.Idle, 15)})
			_, err := d.Dial("tcp", address)
			require.ErrorContains(t, err, "the kernel holds 15")
			d.WithoutReadBack = true
			dial(t, d)
		},
		"UserTimeoutBeforeConnect": func(t *testing.T, d *dialer.Dialer) {
			testkit.NeedOptions(t, platform.UserTimeout)
			k := kerneltest.Running()
			d.On(socket.OS{Calls: k})
			dial(t, d)
			late := configtest.At(platform.UserTimeout)
			assert.NotEqual(t, late, k.Sets[0])
			k.Sets = nil
			d.UserTimeoutBeforeConnect = true
			dial(t, d)
			assert.Equal(t, late, k.Sets[0])
		},
		"MultipathTCP": func(t *testing.T, d *dialer.Dialer) {
			testkit.NeedOptions(t, platform.UserTimeout)
			d.UserTimeoutBeforeConnect, d.MultipathTCP = true, true
			_, err := d.Dial("tcp", address)
			require.ErrorContains(t, err, "Multipath TCP sockets have none")
		},
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			change(t, begun(t))
		})
	}
}

// A Dialer has no memory: a copy of one that has dialed dials as its own fields say.
func TestCopyOfADialer(t *testing.T) {
	t.Parallel()
	address := loopback(t).Addr().String()
	d, err := dialer.New(asked)
	require.NoError(t, err)
	dialed := func(d *dialer.Dialer) testkit.Values {
		c, err := d.Dial("tcp", address)
		require.NoError(t, err)
		return testkit.ReadAny(t, testkit.Closing(t, c))
	}
	assert.Equal(t, askedValues, dialed(d))
	other := *d
	other.Config.Disabled = true
	assert.Zero(t, dialed(&other).KeepAlive)
	assert.Equal(t, askedValues, dialed(d))
}

// The same settings on a bare net.Dialer are rows of
// TestStdlibDialerOverwritesTheHook.
func TestBaseKeepAliveIsIgnored(t *testing.T) {
	t.Parallel()
	multipath := net.Dialer{}
	multipath.SetMultipathTCP(true)
	for rule, base := range map[string]net.Dialer{
		"KeepAlive 0":                 {},
		"Multipath TCP":               multipath,
		"KeepAlive 30s":               {KeepAlive: 30 * time.Second},
		"KeepAlive -1":                {KeepAlive: -1},
		"KeepAliveConfig not enabled": {KeepAliveConfig: net.KeepAliveConfig{Idle: 7 * time.Second}},
		"KeepAliveConfig -1 -1 -1":    {KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}},
		"KeepAliveConfig 0 0 0":       {KeepAliveConfig: net.KeepAliveConfig{Enable: true}},
		"both":                        {KeepAlive: -1, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 5}},
		"a refused KeepAliveConfig":   {KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Hour}},
	} {
		for asks, config := range map[string]struct {
			sockopt.Config
			want testkit.Values
		}{
			"everything asked": {asked, askedValues},
			"nothing asked":    {sockopt.Config{}, testkit.SwitchedOn()},
		} {
			t.Run(rule+", "+asks, func(t *testing.T) {
				t.Parallel()
				d := dialer.Dialer{Base: base, Config: config.Config}
				c, err := d.Dial("tcp", loopback(t).Addr().String())
				require.NoError(t, err)
				assert.Equal(t, config.want, testkit.ReadAny(t, testkit.Closing(t, c)))
				assert.Equal(t, base.KeepAlive, d.Base.KeepAlive, "Base stays as it was")
				assert.Equal(t, base.KeepAliveConfig, d.Base.KeepAliveConfig)
			})
		}
	}
}

// What the user's hook sets and the Config leaves unset is the user's.
func TestConfigComesAfterTheUsersHook(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		config sockopt.Config
		want   testkit.Values
	}{
		"everything asked": {askedEarly, testkit.Make(1, 111, 22, 3, 5000)},
		"one thing asked":  {sockopt.Config{Count: 3}, testkit.Make(1, 5, 5, 3, 5000)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			configtest.Takes(t, row.config)
			d := dialer.Dialer{Config: row.config, Base: net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
				return c.Control(func(fd uintptr) { assert.NoError(t, testkit.SetOptions(int(fd), testkit.Make(1, 5, 5, 5, 5000))) })
			}}}
			c, err := d.Dial("tcp", loopback(t).Addr().String())
			require.NoError(t, err)
			assert.Equal(t, row.want, testkit.ReadAny(t, testkit.Closing(t, c)))
		})
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	testkit.NeedIPv6(t)
	v4, v6 := loopback(t).Addr().String(), serve(t, "tcp6", "[::1]:0", false).Addr().String()
	for rule, row := range map[string]struct {
		network, address string
		tcp              bool
	}{
		"tcp":         {"tcp", v4, true},
		"tcp to IPv6": {"tcp", v6, true},
		"tcp4":        {"tcp4", v4, true},
		"tcp6":        {"tcp6", v6, true},
		"unix":        {"unix", "", false},
		"udp":         {"udp", "127.0.0.1:9", false},
		"udp4":        {"udp4", "127.0.0.1:9", false},
	} {
		for _, hook := range []string{"no hook", "Control", "ControlContext", "both hooks"} {
			t.Run(rule+", "+hook, func(t *testing.T) {
				t.Parallel()
				address := row.address
				switch row.network {
				case "unix":
					address = serve(t, "unix", testkit.UnixPath(t), false).Addr().String()
				case "udp", "udp4":
					testkit.NeedUDP(t)
				}
				var controls, contexts atomic.Int32
				var base net.Dialer
				if hook == "Control" || hook == "both hooks" {
					base.Control = func(string, string, syscall.RawConn) error { controls.Add(1); return nil }
				}
				if hook == "ControlContext" || hook == "both hooks" {
					base.ControlContext = func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
						assert.Equal(t, "carried", ctx.Value(ctxKey{}))
						contexts.Add(1)
						return nil
					}
				}
				d := dialer.Dialer{Base: base, Config: asked, Pin: !row.tcp}
				c, err := d.DialContext(context.WithValue(context.Background(), ctxKey{}, "carried"), row.network, address)
				require.NoError(t, err)
				testkit.Closing(t, c)
				if row.tcp {
					assert.Equal(t, askedValues, testkit.ReadAny(t, c))
				} else {
					assert.False(t, testkit.IsOn(t, c), "left alone")
				}
				assert.EqualValues(t, btoi(hook == "Control"), controls.Load(), "ControlContext wins")
				assert.EqualValues(t, btoi(base.ControlContext != nil), contexts.Load())
			})
		}
	}
}

type ctxKey struct{}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestMultipathTakesNoUserTimeoutBeforeConnect(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t, platform.UserTimeout)
	d := dialer.Dialer{Config: asked, MultipathTCP: true, UserTimeoutBeforeConnect: true}
	_, dialErr := d.Dial("tcp", "127.0.0.1:9")
	for _, err := range []error{d.Check(), dialErr} {
		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.ErrorContains(t, err, "user timeout before connect: Multipath TCP sockets have none")
	}
}

func TestUserTimeoutBeforeConnectStays(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t, platform.UserTimeout)
	d := dialer.Dialer{Config: asked, UserTimeoutBeforeConnect: true}
	c, err := d.Dial("tcp", loopback(t).Addr().String())
	require.NoError(t, err)
	assert.Equal(t, askedValues, testkit.ReadAny(t, testkit.Closing(t, c)))
}
