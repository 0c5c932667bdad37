package listener_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// These tests hold package net to the behaviour that this package is built on.
// If one fails, a Go release has changed it: see newTCPConn in net/tcpsock.go.

func TestStdlibAcceptOverwritesTheListeningSocket(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		hook      func(network, address string, c syscall.RawConn) error
		keepAlive time.Duration
		config    net.KeepAliveConfig
		want      testkit.Values
	}{
		"nothing set: 15 15 9": {
			want: testkit.GoDefaults},
		"KeepAlive 0 overwrites what was inherited with 15 15 9 and leaves the user timeout": {
			hook: setAsked, want: testkit.ByNet(15, 15, 9, 44444)},
		"KeepAlive is the idle time only, interval and count become 15 and 9": {
			hook: setAsked, keepAlive: 30 * time.Second, want: testkit.ByNet(30, 15, 9, 44444)},
		"KeepAlive -1 lets everything be inherited": {
			hook: setAsked, keepAlive: -1, want: askedValues},
		"KeepAlive -1 without a hook leaves keepalive off": {
			keepAlive: -1, want: testkit.Untouched()},
		"KeepAliveConfig of -1 -1 -1 lets everything be inherited": {
			hook: setAsked, config: net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}, want: askedValues},
		"KeepAliveConfig with Enable false is ignored: 15 15 9": {
			hook: setAsked, config: net.KeepAliveConfig{Idle: 7 * time.Second}, want: testkit.ByNet(15, 15, 9, 44444)},
		"KeepAliveConfig wins over KeepAlive -1": {
			keepAlive: -1, config: net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 3}, want: testkit.ByNet(60, 10, 3, 0)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if row.hook != nil {
				inherited(t, asked)
			}
			lc := net.ListenConfig{Control: row.hook, KeepAlive: row.keepAlive, KeepAliveConfig: row.config}
			lc.SetMultipathTCP(false)
			l := opened(t)(lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
			assert.Equal(t, row.want, testkit.ReadAny(t, accept(t, l, false)))
		})
	}
}

func TestStdlibOtherListeners(t *testing.T) {
	t.Parallel()
	for rule, listen := range map[string]func(t *testing.T) (net.Listener, error){
		"FileListener overwrites what the socket had: 15 15 9": func(t *testing.T) (net.Listener, error) {
			needFiles(t)
			return fromFile(t, configured(t, testkit.NoUserTimeout(askedValues)))
		},
		"ListenTCP cannot be configured: 15 15 9": func(*testing.T) (net.Listener, error) {
			return net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		},
		"Listen cannot be configured: 15 15 9": func(*testing.T) (net.Listener, error) {
			return net.Listen("tcp4", "127.0.0.1:0")
		},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, testkit.GoDefaults, testkit.ReadAny(t, accept(t, opened(t)(listen(t)), false)))
		})
	}
}

// fromFile passes a listening socket on as systemd does.
func fromFile(t testing.TB, l net.Listener) (net.Listener, error) {
	f, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, l.Close())
	return net.FileListener(f)
}

func TestStdlibHTTPServerHasGoDefaults(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	got := make(chan testkit.Values, 1)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		got <- testkit.ReadAny(t, c)
		return ctx
	}
	server.Start()
	t.Cleanup(server.Close)
	resp, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, testkit.GoDefaults, <-got)
}

func TestStdlibHookArguments(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	testkit.NeedIPv6(t)
	for rule, row := range map[string]struct{ network, address, want string }{
		"tcp on 127.0.0.1 is tcp4":      {"tcp", "127.0.0.1:0", "tcp4"},
		"tcp on ::1 is tcp6":            {"tcp", "[::1]:0", "tcp6"},
		"tcp on every address is tcp6":  {"tcp", ":0", "tcp6"},
		"tcp on 0.0.0.0 is tcp6":        {"tcp", "0.0.0.0:0", "tcp6"},
		"tcp4 on every address is tcp4": {"tcp4", ":0", "tcp4"},
		"unix is unix":                  {"unix", "", "unix"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			switch {
			case row.network == "unix":
				row.address = testkit.UnixPath(t)
			case row.want == "tcp6":
				needDualStack(t)
			}
			refused := errors.New("refused by the hook")
			var got atomic.Value
			lc := net.ListenConfig{Control: func(network, _ string, _ syscall.RawConn) error {
				got.Store(network)
				return refused
			}}
			_, err := lc.Listen(context.Background(), row.network, row.address)
			require.ErrorIs(t, err, refused)
			assert.Equal(t, row.want, got.Load())
		})
	}
}
