package dialer_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

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

func TestConfigureUserTimeoutFallsBackFromMultipath(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	off := askedEarly
	off.UserTimeout = sockopt.NoUserTimeout
	for rule, row := range map[string]struct {
		config sockopt.Config
		kind   kernel.Kind
		want   testkit.Values
	}{
		"with a user timeout":              {asked, kernel.TCP, askedValues},
		"switched off, which it is anyway": {off, kernel.MultipathTCP, testkit.Make(1, 111, 22, 3, -1)},
		"without":                          {askedEarly, kernel.MultipathTCP, testkit.Make(1, 111, 22, 3, -1)}, // which cannot be read there
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			var d net.Dialer
			d.SetMultipathTCP(true)
			require.NoError(t, dialer.Configure(&d, row.config))
			c, err := d.Dial("tcp4", serve(t, "tcp4", "127.0.0.1:0", true).Addr().String())
			require.NoError(t, err)
			testkit.Closing(t, c)
			kind, err := socket.KindOf(c)
			require.NoError(t, err)
			assert.Equal(t, row.kind, kind)
			assert.Equal(t, row.want, testkit.ReadAny(t, c))
		})
	}
}

func TestConfigureErrorsOfLinux(t *testing.T) {
	t.Parallel()
	configureRefuses(t, sockopt.Config{Idle: 40000 * time.Second}, "TCP_KEEPIDLE on linux takes 1s")
	configureRefuses(t, sockopt.Config{Idle: 40000 * time.Second, UserTimeout: time.Minute}, "40000")
}
