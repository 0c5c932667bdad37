package listener_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/configtest"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestAcceptedConnectionHasExactlyTheConfig(t *testing.T) {
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
		"Disabled stores the rest all the same": {sockopt.Config{Disabled: true, Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3}, testkit.Make(0, 111, 22, 3, 0)},
		"fractions are rounded up":              {sockopt.Config{Idle: 1500 * time.Millisecond, Interval: 1, Count: 1, UserTimeout: 1}, testkit.Make(1, 2, 1, 1, 1)},
		"Recommended is 30 10 3 and a minute":   {configtest.Available(sockopt.Recommended()), testkit.Make(1, 30, 10, 3, 60000)},
	} {
		for _, pin := range []bool{false, true} {
			t.Run(rule+", pinned "+strconv.FormatBool(pin), func(t *testing.T) {
				t.Parallel()
				configtest.Takes(t, row.config)
				lc := listener.ListenConfig{Config: row.config, Pin: pin}
				l := opened(t)(lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
				c := accept(t, l, false)
				assert.Equal(t, row.want, testkit.ReadAny(t, c))
				_, isTCP := c.(*net.TCPConn)
				assert.Equal(t, !pin, isTCP, "a pinned connection is invisible to c.(*net.TCPConn)")
			})
		}
	}
}

// New leaves the other fields to be set.
func TestNew(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	made, err := listener.New(asked)
	require.NoError(t, err)
	assert.Equal(t, &listener.ListenConfig{Config: asked}, made)
	made.Pin = true
	l := opened(t)(made.Listen(context.Background(), "tcp", "127.0.0.1:0"))
	c := accept(t, l, false)
	assert.Equal(t, askedValues, testkit.ReadAny(t, c))
	assert.ErrorIs(t, c.(interface{ SetKeepAlive(bool) error }).SetKeepAlive(false), sockopt.ErrPinned)
}

// A ListenConfig may be used by several goroutines and be copied, and a listener has the
// values that the fields had when it was made.
func TestListenersOfOneListenConfig(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	shared := listener.ListenConfig{Config: askedEarly, WithoutReadBack: true, VerifyAfter: time.Hour}
	var listening sync.WaitGroup
	listeners := make([]net.Listener, 4)
	for i := range listeners {
		listening.Go(func() {
			var err error
			listeners[i], err = shared.Listen(context.Background(), "tcp", "127.0.0.1:0")
			assert.NoError(t, err)
		})
	}
	listening.Wait()
	changed := shared
	changed.Config = sockopt.Config{Disabled: true}
	shared.Config, shared.Pin = changed.Config, true
	for _, l := range listeners {
		c := accept(t, opened(t)(l, nil), false)
		assert.Equal(t, testkit.Make(1, 111, 22, 3, 0), testkit.ReadAny(t, c))
		assert.IsType(t, new(net.TCPConn), c)
	}
	c := accept(t, opened(t)(changed.Listen(context.Background(), "tcp", "127.0.0.1:0")), false)
	assert.Equal(t, testkit.Untouched(), testkit.ReadAny(t, c))
}

func TestBaseKeepAliveIsIgnored(t *testing.T) {
	t.Parallel()
	multipath := net.ListenConfig{}
	multipath.SetMultipathTCP(true)
	for rule, base := range map[string]net.ListenConfig{
		"KeepAlive 30s":               {KeepAlive: 30 * time.Second},
		"KeepAlive -1":                {KeepAlive: -1},
		"KeepAliveConfig not enabled": {KeepAliveConfig: net.KeepAliveConfig{Idle: 7 * time.Second}},
		"KeepAliveConfig 0 0 0":       {KeepAliveConfig: net.KeepAliveConfig{Enable: true}},
		"both":                        {KeepAlive: -1, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Minute}},
		"Multipath TCP":               multipath,
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
				lc := listener.ListenConfig{Base: base, Config: config.Config}
				l := opened(t)(lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
				assert.Equal(t, config.want, testkit.ReadAny(t, accept(t, l, false)))
				assert.Equal(t, base.KeepAlive, lc.Base.KeepAlive, "Base stays as it was")
				assert.Equal(t, base.KeepAliveConfig, lc.Base.KeepAliveConfig)
			})
		}
	}
}

// What the user's hook sets and the Config leaves unset is the user's.
func TestConfigComesAfterTheUsersHook(t *testing.T) {
	t.Parallel()
	hooked := net.ListenConfig{Control: setting(testkit.Make(1, 5, 5, 5, 5000))}
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
			inherited(t, sockopt.Config{Idle: 1, Interval: 1, Count: 1}) // as the hook's are
			lc := listener.ListenConfig{Base: hooked, Config: row.config}
			l := opened(t)(lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
			assert.Equal(t, row.want, testkit.ReadAny(t, accept(t, l, false)))
		})
	}
}

func TestNetworksAndClients(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	testkit.NeedIPv6(t)
	for rule, row := range map[string]struct{ network, address, clientHost string }{
		"tcp4":                               {"tcp4", "127.0.0.1:0", "127.0.0.1"},
		"tcp6":                               {"tcp6", "[::1]:0", "::1"},
		"tcp on IPv4":                        {"tcp", "127.0.0.1:0", "127.0.0.1"},
		"dual-stack, IPv6 client":            {"tcp", ":0", "::1"},
		"dual-stack, IPv4-mapped client":     {"tcp", ":0", "127.0.0.1"},
		"dual-stack by 0.0.0.0":              {"tcp", "0.0.0.0:0", "127.0.0.1"},
		"tcp4 on every address":              {"tcp4", ":0", "127.0.0.1"},
		"localhost, resolved by package net": {"tcp4", "localhost:0", "127.0.0.1"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if row.network == "tcp" {
				needDualStack(t)
			}
			lc := listener.ListenConfig{Config: asked}
			l := opened(t)(lc.Listen(context.Background(), row.network, row.address))
			_, isTCP := l.(*net.TCPListener)
			assert.Equal(t, configtest.NotInherited(asked) == "", isTCP, "nothing to do after accept, so no wrapper")
			assert.True(t, isPlain(t, l), "plain TCP unless asked for")
			d := net.Dialer{KeepAlive: -1}
			client, err := d.Dial("tcp", net.JoinHostPort(row.clientHost, strconv.Itoa(l.Addr().(*net.TCPAddr).Port)))
			require.NoError(t, err)
			testkit.Closing(t, client)
			server := testkit.Accept(t, l, client)
			assert.IsType(t, (*net.TCPConn)(nil), server)
			assert.Equal(t, askedValues, testkit.ReadAny(t, server))
			assert.Equal(t, testkit.Untouched(), testkit.ReadAny(t, client), "the client's end is the client's")
		})
	}
}

func TestUnixIsLeftAlone(t *testing.T) {
	t.Parallel()
	for rule, config := range map[string]sockopt.Config{
		"a Config that sets everything": asked,
		"an invalid Config":             {Count: -1000},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			hooked := atomic.Int32{}
			lc := listener.ListenConfig{Config: config, Pin: true, Base: net.ListenConfig{
				Control: func(string, string, syscall.RawConn) error { hooked.Add(1); return nil }}}
			l := opened(t)(lc.Listen(context.Background(), "unix", testkit.UnixPath(t)))
			assert.IsType(t, (*net.UnixListener)(nil), l)
			assert.EqualValues(t, 1, hooked.Load(), "the user's hook runs")
			c := accept(t, l, false)
			assert.IsType(t, (*net.UnixConn)(nil), c)
			assert.False(t, testkit.IsOn(t, c))
		})
	}
}

func TestPinnedConnections(t *testing.T) {
	t.Parallel()
	lc := listener.ListenConfig{Config: asked, Pin: true}
	l := opened(t)(lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
	c := accept(t, l, false)
	assert.ErrorIs(t, c.(interface{ SetKeepAlive(bool) error }).SetKeepAlive(false), sockopt.ErrPinned)
	assert.Implements(t, (*interface{ CloseWrite() error })(nil), c)
	assert.Equal(t, askedValues, testkit.ReadAny(t, c))

	// The listener still has what servers look for.
	rewound, ok := l.(interface {
		syscall.Conn
		SetDeadline(time.Time) error
	})
	require.True(t, ok)
	require.NoError(t, rewound.SetDeadline(time.Unix(1, 0)))
	_, err := l.Accept()
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
	_, acceptsTCP := l.(interface{ AcceptTCP() (*net.TCPConn, error) })
	assert.False(t, acceptsTCP, "AcceptTCP would go past the pin")
	needFiles(t)
	second := opened(t)(fromPinned(t, l))
	assert.Equal(t, l.Addr().String(), second.Addr().String())
}

func fromPinned(t *testing.T, l net.Listener) (net.Listener, error) {
	f, err := l.(interface{ File() (*os.File, error) }).File()
	require.NoError(t, err)
	defer f.Close()
	return net.FileListener(f)
}

func TestListenErrors(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	taken := bare(t, "tcp4", "127.0.0.1:0").Addr().String()
	refused := errors.New("refused by the user's hook")
	liar := lying(anySocket, 15, platform.Idle)
	for rule, row := range map[string]struct {
		lc      *listener.ListenConfig
		address string
		is      error
		text    []string
		option  platform.Option // which is to be set on the listening socket
	}{
		"an address in use":           {&listener.ListenConfig{Config: asked}, taken, kerneltest.EADDRINUSE, []string{"bind"}, platform.KeepAlive},
		"the user's hook":             {&listener.ListenConfig{Base: net.ListenConfig{Control: func(string, string, syscall.RawConn) error { return refused }}}, "127.0.0.1:0", refused, nil, platform.KeepAlive},
		"an option that is refused":   {(&listener.ListenConfig{Config: asked}).On(socket.OS{Calls: refusing(anySocket, kerneltest.EPERM, platform.Interval)}), "127.0.0.1:0", kerneltest.EPERM, []string{"setsockopt " + configtest.Calling(platform.Interval, 22)}, platform.Interval},
		"an option that did not take": {(&listener.ListenConfig{Config: asked}).On(socket.OS{Calls: liar}), "127.0.0.1:0", nil, []string{configtest.Differing(platform.Idle, 111, 15)}, platform.Idle},
		"the same without read-back: the listening socket is always read": {
			(&listener.ListenConfig{Config: asked, WithoutReadBack: true}).On(socket.OS{Calls: liar}), "127.0.0.1:0", nil, []string{configtest.Differing(platform.Idle, 111, 15)}, platform.Idle},
		"an invalid Config": {&listener.ListenConfig{Config: sockopt.Config{Idle: -1, Count: -1000}}, "127.0.0.1:0", nil, []string{"idle=-1ns is negative", "count=-1000"}, platform.KeepAlive},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if row.option != platform.KeepAlive {
				testkit.NeedReadable(t, row.option)
				testkit.Need(t, platform.Current().ArmsListener == platform.No, "nothing is set on a listening socket here")
			}
			l, err := row.lc.Listen(context.Background(), "tcp", row.address)
			require.Error(t, err)
			assert.Nil(t, l)
			var op *net.OpError
			require.ErrorAs(t, err, &op)
			assert.Equal(t, "listen", op.Op)
			if row.is != nil {
				assert.ErrorIs(t, err, row.is)
			}
			for _, text := range row.text {
				assert.ErrorContains(t, err, text)
			}
		})
	}
}

func TestAcceptAfterClose(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	for rule, lc := range map[string]listener.ListenConfig{
		"plain":  {Config: asked},
		"pinned": {Config: asked, Pin: true},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			waiting := make(chan error)
			go func() {
				_, err := l.Accept()
				waiting <- err
			}()
			require.NoError(t, l.Close())
			assert.ErrorIs(t, <-waiting, net.ErrClosed)
			_, err = l.Accept()
			assert.ErrorIs(t, err, net.ErrClosed)
		})
	}
}
