package listener_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
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

// theirs is what somebody else gave a listening socket.
var theirs = testkit.Make(1, 70, 8, 5, 0)

func TestWrap(t *testing.T) {
	t.Parallel()
	def := testkit.Untouched()
	stdlib := func(t *testing.T) net.Listener { return opened(t)(net.Listen("tcp4", "127.0.0.1:0")) }
	systemd := func(v testkit.Values) func(t *testing.T) net.Listener {
		return func(t *testing.T) net.Listener {
			needFiles(t)
			return opened(t)(fromFile(t, configured(t, v)))
		}
	}
	withTimeout := testkit.Make(1, 70, 8, 5, 5000)
	for rule, row := range map[string]struct {
		listener func(t *testing.T) net.Listener
		config   sockopt.Config
		want     testkit.Values
	}{
		"net.Listen, everything":                              {stdlib, asked, askedValues},
		"net.Listen, nothing asked: on, the rest as it holds": {stdlib, sockopt.Config{}, testkit.SwitchedOn()},
		"net.Listen, idle only":                               {stdlib, sockopt.Config{Idle: 111 * time.Second}, testkit.Make(1, 111, def.Interval, def.Count, 0)},
		"net.Listen, Disabled":                                {stdlib, sockopt.Config{Disabled: true}, def},
		"net.Listen, NoUserTimeout":                           {stdlib, sockopt.Config{UserTimeout: sockopt.NoUserTimeout}, testkit.SwitchedOn()},
		"FileListener, everything":                            {systemd(theirs), asked, askedValues},
		"FileListener, what is unset is what the socket holds": {
			systemd(theirs), sockopt.Config{Count: 3}, testkit.Make(1, 70, 8, 3, 0)},
		"FileListener, nothing asked":                  {systemd(theirs), sockopt.Config{}, theirs},
		"FileListener, Disabled":                       {systemd(theirs), sockopt.Config{Disabled: true}, testkit.Make(0, 70, 8, 5, 0)},
		"FileListener, a user timeout of theirs stays": {systemd(withTimeout), sockopt.Config{Idle: 111 * time.Second}, testkit.Make(1, 111, 8, 5, 5000)},
		"FileListener, NoUserTimeout switches it off":  {systemd(withTimeout), sockopt.Config{UserTimeout: sockopt.NoUserTimeout}, theirs},
		"FileListener, keepalive off becomes on":       {systemd(testkit.Make(0, 70, 8, 5, 0)), sockopt.Config{}, theirs},
		"a listener whose connections Go leaves alone": {
			func(t *testing.T) net.Listener { return bare(t, "tcp4", "127.0.0.1:0") }, asked, askedValues},
		"a wrapped listener, again: the last one holds": {
			func(t *testing.T) net.Listener {
				return opened(t)(listener.Wrap(stdlib(t), configtest.Available(sockopt.Config{Idle: 50 * time.Second, Interval: 5 * time.Second, Count: 7})))
			}, asked, askedValues},
		"a pinned listener": {
			func(t *testing.T) net.Listener {
				lc := listener.ListenConfig{Config: configtest.Available(sockopt.Config{Idle: 50 * time.Second, Interval: 5 * time.Second, Count: 7}), Pin: true}
				return opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
			}, asked, askedValues},
		"IPv6": {
			func(t *testing.T) net.Listener {
				testkit.NeedIPv6(t)
				return opened(t)(net.Listen("tcp6", "[::1]:0"))
			}, asked, askedValues},
		"dual-stack": {
			func(t *testing.T) net.Listener {
				needDualStack(t)
				return opened(t)(net.Listen("tcp", ":0"))
			}, asked, askedValues},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			configtest.Takes(t, row.config)
			needHeld(t, row.config)
			if strings.Contains(rule, "user timeout of theirs") {
				inherited(t, sockopt.Config{UserTimeout: 1})
			}
			inner := row.listener(t)
			l, err := listener.Wrap(inner, row.config)
			require.NoError(t, err)
			assert.Equal(t, inner.Addr(), l.Addr())
			for range 2 {
				assert.Equal(t, row.want, testkit.ReadAny(t, accept(t, l, false)))
			}
			require.NoError(t, l.Close())
			_, err = l.Accept()
			assert.ErrorIs(t, err, net.ErrClosed)
		})
	}
}

// needHeld skips the test if an option that cfg leaves unset cannot be copied from the
// listening socket: its value cannot be read there, or it is a default of this machine that
// setsockopt refuses.
func needHeld(t testing.TB, cfg sockopt.Config) {
	t.Helper()
	table, held := platform.Current(), testkit.Untouched()
	for o, row := range map[platform.Option]struct {
		unset bool
		holds int
	}{
		platform.Idle: {cfg.Idle == 0, held.Idle}, platform.Interval: {cfg.Interval == 0, held.Interval}, platform.Count: {cfg.Count == 0, held.Count},
	} {
		spec := table.Spec(o)
		if spec == nil || !row.unset {
			continue
		}
		testkit.Need(t, cfg.Disabled || row.holds > 0, fmt.Sprintf("%s does not say which %v a listening socket holds", table.Title, o))
		if spec.Max != platform.UnknownLimit && int64(testkit.Native(o, row.holds)) > spec.Max {
			t.Skipf("TestWrapWhereTheSysctlIsBeyondTheOption is of such a machine: its default of %v is %d", o, row.holds)
		}
	}
}

// Listeners of other programs.
type (
	embedding struct{ *net.TCPListener } // which adds methods of its own
	showing   struct {                   // which shows nothing but its socket
		net.Listener
		syscall.Conn
	}
)

// Whatever a listener was made of, the one that is handed out has its socket, deadline
// and file, and can be wrapped and looked at again.
func TestWrapKeepsWhatServersLookFor(t *testing.T) {
	t.Parallel()
	configtest.Takes(t, sockopt.Config{Idle: 1, Interval: 1, Count: 1})
	std := func(t *testing.T) *net.TCPListener {
		return opened(t)(net.Listen("tcp4", "127.0.0.1:0")).(*net.TCPListener)
	}
	for rule, row := range map[string]struct {
		listener func(t *testing.T) net.Listener
		hides    bool // deadline and file
	}{
		"a *net.TCPListener": {func(t *testing.T) net.Listener { return std(t) }, false},
		"a wrapped one": {func(t *testing.T) net.Listener {
			return opened(t)(listener.Wrap(std(t), askedEarly))
		}, false},
		"a restored one": {func(t *testing.T) net.Listener { return opened(t)(listener.Restore(std(t))) }, false},
		"a pinned one": {func(t *testing.T) net.Listener {
			lc := listener.ListenConfig{Config: askedEarly, Pin: true}
			return opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
		}, false},
		"one that is verified": {func(t *testing.T) net.Listener {
			lc := listener.ListenConfig{Config: askedEarly, VerifyAfter: time.Hour}
			return opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
		}, false},
		"a type that embeds *net.TCPListener": {func(t *testing.T) net.Listener { return embedding{std(t)} }, false},
		"a type that shows its socket only": {func(t *testing.T) net.Listener {
			l := std(t)
			return showing{l, l}
		}, true},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			once, err := listener.Wrap(row.listener(t), askedEarly)
			require.NoError(t, err)
			twice, err := listener.Wrap(once, sockopt.Config{Count: 7})
			require.NoError(t, err)
			restored, err := listener.Restore(twice)
			require.NoError(t, err)
			want := testkit.NoUserTimeout(testkit.Make(1, 111, 22, 7, 0))
			for name, l := range map[string]net.Listener{"twice": twice, "restored": restored} {
				settings, err := sockopt.Get(l)
				require.NoError(t, err, name)
				if configtest.NotInherited(askedEarly) == "" { // else the listening socket holds nothing of this
					assert.Equal(t, 7, settings.Count, name)
					assert.Equal(t, want, testkit.NoUserTimeout(testkit.ReadAny(t, accept(t, l, false))), name)
				}
				_, acceptsTCP := l.(interface{ AcceptTCP() (*net.TCPConn, error) })
				assert.False(t, acceptsTCP, "AcceptTCP would hand out unfinished connections")
				_, isFile := l.(interface{ File() (*os.File, error) })
				deadline, hasDeadline := l.(interface{ SetDeadline(time.Time) error })
				assert.Equal(t, !row.hides, isFile, name)
				require.Equal(t, !row.hides, hasDeadline, name)
				if row.hides {
					continue
				}
				if runtime.GOOS != "windows" { // where package net passes no sockets on
					second := opened(t)(fromPinned(t, l))
					assert.Equal(t, l.Addr().String(), second.Addr().String(), name)
				}
				require.NoError(t, deadline.SetDeadline(time.Unix(1, 0)))
				_, err = l.Accept()
				require.ErrorIs(t, err, os.ErrDeadlineExceeded, name)
				require.NoError(t, deadline.SetDeadline(time.Time{}))
			}
		})
	}
}

func tlsConfig(t *testing.T) *tls.Config {
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	t.Cleanup(server.Close)
	return &tls.Config{Certificates: server.TLS.Certificates}
}

// A tls.Listener gives no access to its socket.
func TestWrapAListenerThatHidesItsSocket(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t, platform.Idle, platform.Interval, platform.Count)
	config := tlsConfig(t)
	idleOnly := sockopt.Config{Idle: 111 * time.Second}
	for rule, row := range map[string]struct {
		config  sockopt.Config
		refused bool
		want    testkit.Values
	}{
		"idle, interval and count set":    {askedEarly, false, testkit.NoUserTimeout(askedValues)},
		"the user timeout as well":        {asked, false, askedValues},
		"Disabled, the rest set":          {sockopt.Config{Disabled: true, Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3}, false, testkit.Make(0, 111, 22, 3, 0)},
		"nothing set is an error":         {sockopt.Config{}, true, testkit.Values{}},
		"interval and count unset is one": {idleOnly, true, testkit.Values{}},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			l, err := listener.Wrap(tls.NewListener(opened(t)(net.Listen("tcp4", "127.0.0.1:0")), config), row.config)
			if row.refused {
				require.ErrorIs(t, err, sockopt.ErrNoSocket)
				require.ErrorContains(t, err, "wrap the listener inside it")
				assert.Nil(t, l)
				return
			}
			require.NoError(t, err)
			c := accept(t, l, false)
			assert.IsType(t, (*tls.Conn)(nil), c, "servers look for it")
			assert.Equal(t, row.want, testkit.ReadAny(t, c))
		})
	}
}

func TestWrapReturnsOtherNetworksAsTheyAre(t *testing.T) {
	t.Parallel()
	for rule, wrap := range map[string]func(net.Listener) (net.Listener, error){
		"Wrap":    func(l net.Listener) (net.Listener, error) { return listener.Wrap(l, asked) },
		"Restore": listener.Restore,
		"Wrap, pinned": func(l net.Listener) (net.Listener, error) {
			lc := listener.ListenConfig{Config: asked, Pin: true}
			return lc.Wrap(l)
		},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			inner := opened(t)(net.Listen("unix", testkit.UnixPath(t)))
			l, err := wrap(inner)
			require.NoError(t, err)
			assert.Same(t, inner, l)
		})
	}
}

func TestWrapErrors(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	var typedNil *net.TCPListener
	var unixNil *net.UnixListener
	var foreignNil *embedding
	open := opened(t)(net.Listen("tcp4", "127.0.0.1:0"))
	for rule, row := range map[string]struct {
		lc       *listener.ListenConfig
		listener net.Listener
		is       error
		text     string
	}{
		"a nil *net.TCPListener":            {&listener.ListenConfig{}, typedNil, nil, "nil"},
		"a nil *net.TCPListener, all set":   {&listener.ListenConfig{Config: asked}, typedNil, nil, "nil"},
		"a nil *net.UnixListener":           {&listener.ListenConfig{Config: asked}, unixNil, nil, "nil"},
		"a nil pointer of another type":     {&listener.ListenConfig{Config: asked}, foreignNil, nil, "nil"},
		"a closed listener":                 {&listener.ListenConfig{Config: asked}, closed, net.ErrClosed, "listener"},
		"an option that the socket refuses": {(&listener.ListenConfig{Config: asked}).On(socket.OS{Calls: refusing(isListening, kerneltest.EPERM, platform.Interval)}), open, kerneltest.EPERM, "setsockopt " + configtest.Calling(platform.Interval, 22)},
		"an invalid Config":                 {&listener.ListenConfig{Config: sockopt.Config{Count: -1000}}, open, nil, "count=-1000 is negative"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if row.is == error(kerneltest.EPERM) {
				testkit.NeedReadable(t, platform.Interval)
				testkit.Need(t, platform.Current().ArmsListener == platform.No, "nothing is set on a listening socket here")
			}
			l, err := row.lc.Wrap(row.listener)
			require.ErrorContains(t, err, row.text)
			assert.Nil(t, l)
			if row.is != nil {
				assert.ErrorIs(t, err, row.is)
			}
		})
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	needFiles(t)
	withTimeout := testkit.Make(1, 70, 8, 5, 5000)
	for rule, held := range map[string]testkit.Values{
		"what systemd set":                theirs,
		"keepalive off, the rest set":     testkit.Make(0, 70, 8, 5, 0),
		"with a user timeout":             withTimeout,
		"a socket that nobody configured": testkit.Untouched(),
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			switch rule {
			case "with a user timeout":
				inherited(t, sockopt.Config{UserTimeout: 1})
			case "a socket that nobody configured":
				needHeld(t, sockopt.Config{})
			}
			inner := opened(t)(fromFile(t, configured(t, held)))
			l, err := listener.Restore(inner)
			require.NoError(t, err)
			assert.Equal(t, held, testkit.ReadAny(t, accept(t, l, false)))
			assert.Equal(t, held, testkit.ReadAny(t, inner), "the listening socket is as it was")
		})
	}
}

func TestRestoreErrors(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	_, err = listener.Restore(closed)
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = listener.Restore(tls.NewListener(opened(t)(net.Listen("tcp4", "127.0.0.1:0")), tlsConfig(t)))
	require.ErrorIs(t, err, sockopt.ErrNoSocket)
}
