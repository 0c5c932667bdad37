package dialer_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

func TestStdlibConnMethods(t *testing.T) {
	t.Parallel()
	sevens := testkit.Make(1, 7, 7, 7, 7000)
	for rule, row := range map[string]struct {
		call    func(*net.TCPConn) error
		refused bool
		want    testkit.Values
	}{
		"SetKeepAliveConfig stops at the first refused option": {
			func(c *net.TCPConn) error {
				return c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 9 * time.Second, Interval: 10 * time.Hour, Count: 5})
			}, true, testkit.Make(1, 9, 7, 7, 7000)},
		"SetKeepAliveConfig with Enable false also resets to 15 15 9": {
			func(c *net.TCPConn) error { return c.SetKeepAliveConfig(net.KeepAliveConfig{}) },
			false, testkit.Make(0, 15, 15, 9, 7000)},
		"SetKeepAlivePeriod is the idle time only": {
			func(c *net.TCPConn) error { return c.SetKeepAlivePeriod(11 * time.Second) },
			false, testkit.Make(1, 11, 7, 7, 7000)},
		"SetKeepAlive leaves the timing alone": {
			func(c *net.TCPConn) error { return c.SetKeepAlive(false) },
			false, testkit.Make(0, 7, 7, 7, 7000)},
		"FileConn resets the original connection as well: 15 15 9": {
			func(c *net.TCPConn) error {
				f, err := c.File()
				if err != nil {
					return err
				}
				defer f.Close()
				second, err := net.FileConn(f)
				if err != nil {
					return err
				}
				return second.Close()
			}, false, testkit.Make(1, 15, 15, 9, 7000)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			c, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
			rc, err := c.SyscallConn()
			require.NoError(t, err)
			require.NoError(t, rc.Control(func(fd uintptr) { assert.NoError(t, testkit.SetOptions(int(fd), sevens)) }))
			require.Equal(t, sevens, testkit.ReadAny(t, c))
			err = row.call(c)
			if row.refused {
				require.ErrorIs(t, err, unix.EINVAL)
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, row.want, testkit.ReadAny(t, c))
		})
	}
}

func TestStdlibMultipathHookErrorFallsBackInSilence(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	var protocols []int
	d := net.Dialer{KeepAlive: -1, Control: func(_, _ string, c syscall.RawConn) error {
		var inner error
		err := c.Control(func(fd uintptr) {
			protocol, _ := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL)
			protocols = append(protocols, protocol)
			inner = testkit.SetOptions(int(fd), askedValues)
		})
		return errors.Join(err, inner)
	}}
	d.SetMultipathTCP(true)
	c, err := d.Dial("tcp", serve(t, "tcp4", "127.0.0.1:0", true).Addr().String())
	require.NoError(t, err, "net drops the hook's error")
	testkit.Closing(t, c)
	assert.Equal(t, []int{unix.IPPROTO_MPTCP, unix.IPPROTO_TCP}, protocols, "the hook runs again, on a plain TCP socket")
	assert.Equal(t, askedValues, testkit.ReadAny(t, c))
}

func TestStdlibKeepAliveSucceedsOnAnySocket(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		domain, kind int
		wantTiming   error
	}{
		"unix": {unix.AF_UNIX, unix.SOCK_STREAM, unix.EOPNOTSUPP},
		"udp":  {unix.AF_INET, unix.SOCK_DGRAM, unix.ENOPROTOOPT},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			fd, err := unix.Socket(row.domain, row.kind|unix.SOCK_CLOEXEC, 0)
			require.NoError(t, err)
			defer unix.Close(fd)
			assert.NoError(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
			assert.ErrorIs(t, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 7), row.wantTiming)
		})
	}
}

// What this kernel refuses, package net swallows.
func TestStdlibRefusalIsSwallowed(t *testing.T) {
	t.Parallel()
	def := testkit.Untouched()
	for rule, row := range map[string]struct {
		config net.KeepAliveConfig
		want   testkit.Values
	}{
		"a refused idle time is swallowed and interval and count are skipped": {
			net.KeepAliveConfig{Enable: true, Idle: 10 * time.Hour, Interval: 5 * time.Second, Count: 4}, testkit.Make(1, def.Idle, def.Interval, def.Count, 0)},
		"a refused count is swallowed": {
			net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 200}, testkit.Make(1, 5, 5, def.Count, 0)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			d := net.Dialer{KeepAliveConfig: row.config}
			c, err := d.Dial("tcp", loopback(t).Addr().String())
			require.NoError(t, err)
			assert.Equal(t, row.want, testkit.ReadAny(t, testkit.Closing(t, c)))
		})
	}
}
