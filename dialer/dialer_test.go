//go:build linux

package dialer_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync/atomic"
	"syscall"
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

func TestConnectionHasExactlyTheConfig(t *testing.T) {
	t.Parallel()
	def := socktest.Untouched()
	for rule, row := range map[string]struct {
		config sockopt.Config
		want   socktest.Values
	}{
		"everything":                            {asked, askedValues},
		"nothing: on, the rest as the system":   {sockopt.Config{}, socktest.SwitchedOn()},
		"idle only":                             {sockopt.Config{Idle: 111 * time.Second}, socktest.Make(1, 111, def.Interval, def.Count, 0)},
		"interval only":                         {sockopt.Config{Interval: 22 * time.Second}, socktest.Make(1, def.Idle, 22, def.Count, 0)},
		"count only":                            {sockopt.Config{Count: 3}, socktest.Make(1, def.Idle, def.Interval, 3, 0)},
		"user timeout only":                     {sockopt.Config{UserTimeout: 44444 * time.Millisecond}, socktest.Make(1, def.Idle, def.Interval, def.Count, 44444)},
		"NoUserTimeout is 0":                    {sockopt.Config{UserTimeout: sockopt.NoUserTimeout}, socktest.SwitchedOn()},
		"Disabled":                              {sockopt.Config{Disabled: true}, def},
		"Disabled stores the rest all the same": {sockopt.Config{Disabled: true, Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3, UserTimeout: 44444 * time.Millisecond}, socktest.Make(0, 111, 22, 3, 44444)},
		"fractions are rounded up":              {sockopt.Config{Idle: 1500 * time.Millisecond, Interval: 1, Count: 1, UserTimeout: 1}, socktest.Make(1, 2, 1, 1, 1)},
		"the smallest values":                   {sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 1, UserTimeout: time.Millisecond}, socktest.Make(1, 1, 1, 1, 1)},
		"the largest values":                    {sockopt.Config{Idle: 32767 * time.Second, Interval: 32767 * time.Second, Count: 127, UserTimeout: (1<<31 - 1) * time.Millisecond}, socktest.Make(1, 32767, 32767, 127, 1<<31-1)},
		"Recommended is 30 10 3 and a minute":   {sockopt.Recommended(), socktest.Make(1, 30, 10, 3, 60000)},
		"Go's own values, when asked for":       {sockopt.Config{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}, socktest.GoDefaults},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			d, err := dialer.New(row.config)
			require.NoError(t, err)
			address := loopback(t).Addr().String()
			for range 2 { // the first dial prepares what the second uses
				c, err := d.Dial("tcp", address)
				require.NoError(t, err)
				socktest.Closing(t, c)
				assert.IsType(t, (*net.TCPConn)(nil), c)
				assert.Equal(t, row.want, socktest.ReadAny(t, c))
			}
		})
	}
}

func TestZeroDialerIsReady(t *testing.T) {
	t.Parallel()
	var d dialer.Dialer
	require.NoError(t, d.Check())
	c, err := d.Dial("tcp", loopback(t).Addr().String())
	require.NoError(t, err)
	assert.Equal(t, socktest.SwitchedOn(), socktest.ReadAny(t, socktest.Closing(t, c)))
}

// As with a net.Dialer, every dial goes by the fields as they are.
func TestFieldsChangedBetweenDials(t *testing.T) {
	t.Parallel()
	address := loopback(t).Addr().String()
	path := filepath.Join(t.TempDir(), "s")
	serve(t, "unix", path, false)
	dial := func(t *testing.T, d *dialer.Dialer) net.Conn {
		t.Helper()
		c, err := d.Dial("tcp", address)
		require.NoError(t, err)
		return socktest.Closing(t, c)
	}
	begun := func(t *testing.T) *dialer.Dialer {
		d, err := dialer.New(asked)
		require.NoError(t, err)
		assert.Equal(t, askedValues, socktest.ReadAny(t, dial(t, d)))
		return d
	}
	for field, change := range map[string]func(t *testing.T, d *dialer.Dialer){
		"Config": func(t *testing.T, d *dialer.Dialer) {
			d.Config = askedEarly
			d.Config.Count = 5
			assert.Equal(t, socktest.Make(1, 111, 22, 5, 0), socktest.ReadAny(t, dial(t, d)))
		},
		"Config, to one that is refused and back": func(t *testing.T, d *dialer.Dialer) {
			d.Config.Count = 1000
			_, err := d.Dial("tcp", address)
			require.ErrorContains(t, err, "count=1000 is too large")
			require.ErrorContains(t, d.Check(), "count=1000 is too large")
			d.Config = asked
			require.NoError(t, d.Check())
			assert.Equal(t, askedValues, socktest.ReadAny(t, dial(t, d)))
		},
		"Base, for TCP as for other networks": func(t *testing.T, d *dialer.Dialer) {
			refused := errors.New("refused by the user's hook")
			d.Base.Control = func(string, string, syscall.RawConn) error { return refused }
			_, err := d.Dial("tcp", address)
			require.ErrorIs(t, err, refused)
			_, err = d.Dial("unix", path)
			require.ErrorIs(t, err, refused)
		},
		"Pin": func(t *testing.T, d *dialer.Dialer) {
			d.Pin = true
			assert.ErrorIs(t, dial(t, d).(interface{ SetKeepAlive(bool) error }).SetKeepAlive(false), sockopt.ErrPinned)
		},
		"WithoutReadBack": func(t *testing.T, d *dialer.Dialer) {
			d = (&dialer.Dialer{Config: asked}).WithKernel(lyingAbout(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15))
			_, err := d.Dial("tcp", address)
			require.ErrorContains(t, err, "the kernel holds 15")
			d.WithoutReadBack = true
			dial(t, d)
		},
		"UserTimeoutBeforeConnect": func(t *testing.T, d *dialer.Dialer) {
			k := kerneltest.Running()
			d = (&dialer.Dialer{Config: asked}).WithKernel(k)
			dial(t, d)
			late := kerneltest.At{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT}
			assert.NotEqual(t, late, k.Sets[0])
			k.Sets = nil
			d.UserTimeoutBeforeConnect = true
			dial(t, d)
			assert.Equal(t, late, k.Sets[0])
		},
		"MultipathTCP": func(t *testing.T, d *dialer.Dialer) {
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

// New's checks and plans are those of the dials.
func TestDialsUseWhatNewHasPrepared(t *testing.T) {
	t.Parallel()
	address := loopback(t).Addr().String()
	d, err := dialer.New(asked)
	require.NoError(t, err)
	prepared := d.Prepared()
	require.NotNil(t, prepared)
	d.Pin, d.Base.Timeout = true, time.Minute
	for range 2 {
		c, err := d.Dial("tcp", address)
		require.NoError(t, err)
		socktest.Closing(t, c)
		assert.Same(t, prepared, d.Prepared())
	}
	d.Config.Count++
	require.NoError(t, d.Check())
	assert.NotSame(t, prepared, d.Prepared())
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
			want socktest.Values
		}{
			"everything asked": {asked, askedValues},
			"nothing asked":    {sockopt.Config{}, socktest.SwitchedOn()},
		} {
			t.Run(rule+", "+asks, func(t *testing.T) {
				t.Parallel()
				d := dialer.Dialer{Base: base, Config: config.Config}
				c, err := d.Dial("tcp", loopback(t).Addr().String())
				require.NoError(t, err)
				assert.Equal(t, config.want, socktest.ReadAny(t, socktest.Closing(t, c)))
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
		want   socktest.Values
	}{
		"everything asked": {askedEarly, socktest.Make(1, 111, 22, 3, 5000)},
		"one thing asked":  {sockopt.Config{Count: 3}, socktest.Make(1, 5, 5, 3, 5000)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			d := dialer.Dialer{Config: row.config, Base: net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
				return c.Control(func(fd uintptr) { assert.NoError(t, socktest.SetOptions(int(fd), socktest.Make(1, 5, 5, 5, 5000))) })
			}}}
			c, err := d.Dial("tcp", loopback(t).Addr().String())
			require.NoError(t, err)
			assert.Equal(t, row.want, socktest.ReadAny(t, socktest.Closing(t, c)))
		})
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	socktest.NeedIPv6(t)
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { udp.Close() })
	path := filepath.Join(t.TempDir(), "s")
	serve(t, "unix", path, false)
	v4, v6 := loopback(t).Addr().String(), serve(t, "tcp6", "[::1]:0", false).Addr().String()
	for rule, row := range map[string]struct {
		network, address string
		tcp              bool
	}{
		"tcp":         {"tcp", v4, true},
		"tcp to IPv6": {"tcp", v6, true},
		"tcp4":        {"tcp4", v4, true},
		"tcp6":        {"tcp6", v6, true},
		"unix":        {"unix", path, false},
		"udp":         {"udp", udp.LocalAddr().String(), false},
		"udp4":        {"udp4", udp.LocalAddr().String(), false},
	} {
		for _, hook := range []string{"no hook", "Control", "ControlContext", "both hooks"} {
			t.Run(rule+", "+hook, func(t *testing.T) {
				t.Parallel()
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
				c, err := d.DialContext(context.WithValue(context.Background(), ctxKey{}, "carried"), row.network, row.address)
				require.NoError(t, err)
				socktest.Closing(t, c)
				if row.tcp {
					assert.Equal(t, askedValues, socktest.ReadAny(t, c))
				} else {
					assert.Equal(t, 0, socketKeepAlive(t, c.(syscall.Conn)), "left alone")
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

func socketKeepAlive(t *testing.T, c syscall.Conn) (on int) {
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		on, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
		assert.NoError(t, err)
	}))
	return on
}

func TestErrorsSayWhoseTheyAre(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused by the user's hook")
	address := loopback(t).Addr().String()
	for rule, row := range map[string]struct {
		dialer  *dialer.Dialer
		is      error
		isNot   []error
		text    []string
		textNot string
	}{
		"the user's hook": {
			dialer:  &dialer.Dialer{Base: net.Dialer{Control: func(string, string, syscall.RawConn) error { return refused }}, Config: asked},
			is:      refused,
			isNot:   []error{unix.EINVAL},
			text:    []string{"dial tcp", refused.Error()},
			textNot: "setsockopt",
		},
		"the user's context hook": {
			dialer: &dialer.Dialer{Base: net.Dialer{ControlContext: func(context.Context, string, string, syscall.RawConn) error { return refused }}, Config: asked},
			is:     refused,
			text:   []string{refused.Error()},
		},
		"an option": {
			dialer: (&dialer.Dialer{Config: asked}).WithKernel(refusing(unix.TCP_KEEPINTVL)),
			is:     unix.EPERM,
			isNot:  []error{refused, errors.ErrUnsupported},
			text:   []string{"dial tcp", "setsockopt TCP_KEEPINTVL=22"},
		},
		"all options are named": {
			dialer: (&dialer.Dialer{Config: asked}).WithKernel(refusing(unix.TCP_KEEPINTVL, unix.TCP_KEEPCNT, unix.TCP_KEEPIDLE)),
			is:     unix.EPERM,
			text:   []string{"TCP_KEEPINTVL=22", "TCP_KEEPCNT=3", "TCP_KEEPIDLE=111"},
		},
		"the user timeout": {
			dialer: (&dialer.Dialer{Config: asked}).WithKernel(refusing(unix.TCP_USER_TIMEOUT)),
			is:     unix.EPERM,
			text:   []string{"dial tcp", "setsockopt TCP_USER_TIMEOUT=44444"},
		},
		"the user timeout, without read-back": {
			dialer: (&dialer.Dialer{Config: asked, WithoutReadBack: true}).WithKernel(refusing(unix.TCP_USER_TIMEOUT)),
			is:     unix.EPERM,
			text:   []string{"setsockopt TCP_USER_TIMEOUT=44444"},
		},
		"the user timeout, before connect": {
			dialer: (&dialer.Dialer{Config: asked, UserTimeoutBeforeConnect: true}).WithKernel(refusing(unix.TCP_USER_TIMEOUT)),
			is:     unix.EPERM,
			text:   []string{"setsockopt TCP_USER_TIMEOUT=44444"},
		},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			c, err := row.dialer.Dial("tcp", address)
			require.Error(t, err)
			assert.Nil(t, c)
			var op *net.OpError
			require.ErrorAs(t, err, &op)
			assert.Equal(t, "dial", op.Op)
			assert.Equal(t, sockopt.DialFailed, sockopt.CauseOf(err))
			require.ErrorIs(t, err, row.is)
			for _, other := range row.isNot {
				assert.NotErrorIs(t, err, other)
			}
			for _, text := range row.text {
				assert.ErrorContains(t, err, text)
			}
			if row.textNot != "" {
				assert.NotContains(t, err.Error(), row.textNot)
			}
		})
	}
}

// refusing is a kernel that answers EPERM to these TCP options.
func refusing(numbers ...int) *kerneltest.Fake {
	k := kerneltest.Running()
	for _, n := range numbers {
		k.FailSet[kerneltest.At{unix.IPPROTO_TCP, n}] = unix.EPERM
	}
	return k
}

func TestInvalidConfig(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		config sockopt.Config
		text   string
	}{
		"idle above the maximum":       {sockopt.Config{Idle: 40000 * time.Second}, "TCP_KEEPIDLE on linux takes 1s to 32767s"},
		"interval above the maximum":   {sockopt.Config{Interval: 32768 * time.Second}, "TCP_KEEPINTVL"},
		"count above the maximum":      {sockopt.Config{Count: 128}, "TCP_KEEPCNT on linux takes 1 to 127"},
		"user timeout above a C int":   {sockopt.Config{UserTimeout: (1 << 31) * time.Millisecond}, "TCP_USER_TIMEOUT"},
		"idle negative":                {sockopt.Config{Idle: -time.Second}, "idle=-1s is negative"},
		"user timeout other than -1":   {sockopt.Config{UserTimeout: -2}, "user-timeout=-2ns is negative"},
		"invalid also while Disabled":  {sockopt.Config{Disabled: true, Count: 1000}, "count=1000"},
		"every field that is too much": {sockopt.Config{Idle: -1, Interval: -1, Count: -1, UserTimeout: -2}, "idle"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			hooked := atomic.Bool{}
			d := dialer.Dialer{Config: row.config, Base: net.Dialer{Control: func(string, string, syscall.RawConn) error {
				hooked.Store(true)
				return nil
			}}}
			made, newErr := dialer.New(row.config)
			assert.Nil(t, made)
			c, dialErr := d.Dial("tcp", "127.0.0.1:9")
			assert.Nil(t, c)
			for _, err := range []error{newErr, d.Check(), dialErr} {
				require.ErrorContains(t, err, row.text)
				var faults platform.Faults
				require.ErrorAs(t, err, &faults)
			}
			assert.False(t, hooked.Load(), "no socket was made")
			var op *net.OpError
			require.ErrorAs(t, dialErr, &op)
			assert.Equal(t, "tcp", op.Net)
			l := serve(t, "unix", filepath.Join(t.TempDir(), "s"), false)
			c, err := d.Dial("unix", l.Addr().String())
			require.NoError(t, err, "a unix socket needs no keepalive")
			socktest.Closing(t, c)
		})
	}
}
