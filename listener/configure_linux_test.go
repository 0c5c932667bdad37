package listener_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestConfigureThenMultipath(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	off := askedEarly
	off.UserTimeout = sockopt.NoUserTimeout
	for rule, row := range map[string]struct {
		config   sockopt.Config
		protocol int
		want     testkit.Values
	}{
		"stays it with one that is switched off":              {off, unix.IPPROTO_MPTCP, testkit.NoUserTimeout(askedValues)},
		"stays Multipath TCP without a user timeout":          {askedEarly, unix.IPPROTO_MPTCP, testkit.NoUserTimeout(askedValues)},
		"falls back to plain TCP for the user timeout's sake": {asked, unix.IPPROTO_TCP, askedValues},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			var lc net.ListenConfig
			require.NoError(t, listener.Configure(&lc, row.config))
			lc.SetMultipathTCP(true)
			l := opened(t)(lc.Listen(context.Background(), "tcp", "127.0.0.1:0"))
			assert.Equal(t, row.protocol, protocolOf(t, l))
			assert.Equal(t, row.want, testkit.ReadAny(t, accept(t, l, false)))
		})
	}
}

func TestConfigureErrorOfLinux(t *testing.T) {
	t.Parallel()
	configureRefuses(t, sockopt.Config{Idle: 40000 * time.Second}, "TCP_KEEPIDLE on linux takes 1s")
}
