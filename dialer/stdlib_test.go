package dialer_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
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

func TestStdlibDialerOverwritesTheHook(t *testing.T) {
	t.Parallel()
	type control = func(network, address string, c syscall.RawConn) error
	def := testkit.Untouched()
	enabled := func(idle, interval time.Duration, count int) net.KeepAliveConfig {
		return net.KeepAliveConfig{Enable: true, Idle: idle, Interval: interval, Count: count}
	}
	for rule, row := range map[string]struct {
		hook      control
		keepAlive time.Duration
		config    net.KeepAliveConfig
		want      testkit.Values
	}{
		"nothing set: 15 15 9": {
			want: testkit.ByNet(15, 15, 9, 0)},
		"KeepAlive 0 overwrites the hook with 15 15 9 and leaves the user timeout": {
			hook: setAsked, want: testkit.ByNet(15, 15, 9, 44444)},
		"KeepAlive is the idle time only, interval and count become 15 and 9": {
			hook: setAsked, keepAlive: 30 * time.Second, want: testkit.ByNet(30, 15, 9, 44444)},
		"KeepAlive -1 lets the hook stand": {
			hook: setAsked, keepAlive: -1, want: askedValues},
		"KeepAlive -1 without a hook leaves keepalive off": {
			keepAlive: -1, want: def},
		"KeepAliveConfig with Enable false is ignored: 15 15 9": {
			hook: setAsked, config: net.KeepAliveConfig{Idle: 7 * time.Second}, want: testkit.ByNet(15, 15, 9, 44444)},
		"KeepAliveConfig of -1 -1 -1 lets the hook stand": {
			hook: setAsked, config: enabled(-1, -1, -1), want: askedValues},
		"KeepAliveConfig of -1 -1 -1 switches keepalive on": {
			config: enabled(-1, -1, -1), want: testkit.SwitchedOn()},
		"KeepAliveConfig of 0 0 0 means 15 15 9": {
			hook: setAsked, config: enabled(0, 0, 0), want: testkit.ByNet(15, 15, 9, 44444)},
		"KeepAliveConfig wins over KeepAlive -1": {
			keepAlive: -1, config: enabled(60*time.Second, 10*time.Second, 3), want: testkit.ByNet(60, 10, 3, 0)},
		"KeepAliveConfig rounds up to seconds": {
			config: enabled(1500*time.Millisecond, 1, 4), want: testkit.ByNet(2, 1, 4, 0)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			testkit.NeedOptions(t)
			d := net.Dialer{Control: row.hook, KeepAlive: row.keepAlive, KeepAliveConfig: row.config}
			c, err := d.Dial("tcp", loopback(t).Addr().String())
			require.NoError(t, err)
			assert.Equal(t, row.want, testkit.ReadAny(t, testkit.Closing(t, c)))
		})
	}
}

func TestStdlibDialFunctions(t *testing.T) {
	t.Parallel()
	addr := loopback(t).Addr().(*net.TCPAddr)
	for rule, row := range map[string]struct {
		dial func() (net.Conn, error)
		want testkit.Values
	}{
		"DialTCP cannot be configured: 15 15 9": {
			func() (net.Conn, error) { return net.DialTCP("tcp", nil, addr) }, testkit.GoDefaults},
		"Dialer.DialTCP honours the Dialer": {
			func() (net.Conn, error) {
				d := net.Dialer{KeepAlive: -1, Control: setAsked}
				return d.DialTCP(context.Background(), "tcp", netip.AddrPort{}, addr.AddrPort())
			}, askedValues},
		"of Control and ControlContext only ControlContext runs": {
			func() (net.Conn, error) {
				d := net.Dialer{KeepAlive: -1,
					Control: func(string, string, syscall.RawConn) error { return errors.New("Control ran") },
					ControlContext: func(_ context.Context, network, address string, c syscall.RawConn) error {
						return setAsked(network, address, c)
					}}
				return d.Dial("tcp", addr.String())
			}, askedValues},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			c, err := row.dial()
			require.NoError(t, err)
			assert.Equal(t, row.want, testkit.ReadAny(t, testkit.Closing(t, c)))
		})
	}
}

func TestStdlibHookArguments(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	testkit.NeedIPv6(t)
	refused := errors.New("refused by the hook")
	for rule, row := range map[string]struct {
		network, address string
		want             string
	}{
		"tcp to IPv4 is tcp4": {"tcp", "127.0.0.1:9", "tcp4"},
		"tcp to IPv6 is tcp6": {"tcp", "[::1]:9", "tcp6"},
		"udp to IPv4 is udp4": {"udp", "127.0.0.1:9", "udp4"},
		"unix is unix":        {"unix", "keepalive-nobody", "unix"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if row.network == "unix" {
				row.address = testkit.UnixPath(t)
			}
			var got atomic.Value
			d := net.Dialer{Control: func(network, _ string, _ syscall.RawConn) error {
				got.Store(network)
				return refused
			}}
			_, err := d.Dial(row.network, row.address)
			require.ErrorIs(t, err, refused, "a hook's error surfaces")
			assert.Equal(t, row.want, got.Load())
		})
	}
}

func TestStdlibHTTPTransports(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	for rule, row := range map[string]struct {
		transport *http.Transport
		want      testkit.Values
	}{
		"DefaultTransport has KeepAlive 30s: 30 15 9":     {http.DefaultTransport.(*http.Transport).Clone(), testkit.ByNet(30, 15, 9, 0)},
		"a Transport of one's own has Go's dial: 15 15 9": {&http.Transport{}, testkit.GoDefaults},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(row.transport.CloseIdleConnections)
			_, got := testkit.GetHTTP(t, row.transport, server.URL)
			assert.Equal(t, row.want, got)
		})
	}
}
