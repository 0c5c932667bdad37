package listener_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestMultipathListener(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	withoutTimeout := asked
	withoutTimeout.UserTimeout = 0
	off := asked
	off.UserTimeout = sockopt.NoUserTimeout
	none := askedValues
	none.UserTimeout = -1 // a true Multipath TCP connection has no such option
	for rule, row := range map[string]struct {
		config  sockopt.Config
		client  bool // Multipath TCP
		want    testkit.Values
		errors  bool
		wrapped bool
	}{
		"a plain client gets everything, the user timeout after accept": {asked, false, askedValues, false, true},
		"a Multipath client gets all but the user timeout, reported":    {asked, true, none, true, true},
		"no user timeout asked, plain client":                           {withoutTimeout, false, testkit.NoUserTimeout(askedValues), false, false},
		"no user timeout asked, Multipath client":                       {withoutTimeout, true, none, false, false},
		"NoUserTimeout, plain client":                                   {off, false, testkit.NoUserTimeout(askedValues), false, true},
		"NoUserTimeout is what a Multipath client has: no error":        {off, true, none, false, true},
	} {
		for _, pin := range []bool{false, true} {
			name := rule
			if pin {
				name += ", pinned"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var errs heard
				lc := listener.ListenConfig{Config: row.config, MultipathTCP: true, Pin: pin, OnError: errs.on}
				l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
				assert.Equal(t, unix.IPPROTO_MPTCP, protocolOf(t, l))
				if !row.wrapped && !pin {
					assert.IsType(t, (*net.TCPListener)(nil), l, "nothing to do after accept, so no wrapper")
				}
				c := accept(t, l, row.client)
				assert.Equal(t, row.want, testkit.ReadAny(t, c))
				if pin {
					assert.ErrorIs(t, c.(interface{ SetKeepAlive(bool) error }).SetKeepAlive(false), sockopt.ErrPinned)
				}
				if !row.errors {
					assert.Empty(t, errs.errs)
					return
				}
				require.Len(t, errs.errs, 1)
				assert.ErrorContains(t, errs.errs[0], "setsockopt TCP_USER_TIMEOUT=44444")
				assert.ErrorIs(t, errs.errs[0], errors.ErrUnsupported)
				assert.NotNil(t, errs.conns[0], "the connection that is about to be handed out")
				assert.Equal(t, c.RemoteAddr(), errs.conns[0].RemoteAddr())
			})
		}
	}
}

// Where Multipath TCP refuses an option other than the user timeout (before
// Linux 6.10), the listener becomes plain TCP and says so.
func TestMultipathListenerFallsBackAloud(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	old := refusing(isMultipath, unix.EOPNOTSUPP, platform.Idle, platform.Interval, platform.Count, platform.UserTimeout)
	var errs heard
	lc := (&listener.ListenConfig{Config: asked, MultipathTCP: true, OnError: errs.on}).On(socket.OS{Calls: old})
	l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
	assert.Equal(t, unix.IPPROTO_TCP, protocolOf(t, l))
	require.Len(t, errs.errs, 1)
	assert.Nil(t, errs.conns[0], "it is about the listener")
	assert.ErrorIs(t, errs.errs[0], errors.ErrUnsupported)
	assert.ErrorContains(t, errs.errs[0], "plain TCP instead of the Multipath TCP asked for")
	for _, symbol := range []string{"TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"} {
		assert.ErrorContains(t, errs.errs[0], symbol)
	}
	assert.Equal(t, askedValues, testkit.ReadAny(t, accept(t, l, true)))
	assert.Len(t, errs.errs, 1)
}

// Not parallel: it replaces the default logger.
func TestErrorsAreLoggedOnce(t *testing.T) {
	testkit.NeedMultipath(t)
	var log strings.Builder
	standard := slog.Default()
	defer slog.SetDefault(standard)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))

	lc := listener.ListenConfig{Config: asked, MultipathTCP: true}
	l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
	for range 3 {
		accept(t, l, true)
	}
	assert.Equal(t, 1, strings.Count(log.String(), "TCP_USER_TIMEOUT"), log.String())
	assert.Contains(t, log.String(), "level=WARN")
	assert.Contains(t, log.String(), "keepalive option not set\" error=\"listener: keepalive idle=")

	lc.OnError = func(net.Conn, error) {}
	silent := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
	accept(t, silent, true)
	assert.Equal(t, 1, strings.Count(log.String(), "\n"), "with OnError nothing is logged")
}
