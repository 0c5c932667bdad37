package listener_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestWrapMultipath(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	off := asked
	off.UserTimeout = sockopt.NoUserTimeout
	none := askedValues
	none.UserTimeout = -1
	for rule, row := range map[string]struct {
		config sockopt.Config
		client bool
		want   testkit.Values
		errors int
	}{
		"a plain client gets everything":                         {asked, false, askedValues, 0},
		"a Multipath client gets all but the user timeout":       {asked, true, none, 1},
		"NoUserTimeout is what a Multipath client has: no error": {off, true, none, 0},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			inner := opened(t)(net.Listen("tcp4", "127.0.0.1:0"))
			require.Equal(t, unix.IPPROTO_MPTCP, protocolOf(t, inner))
			var errs heard
			lc := listener.ListenConfig{Config: row.config, OnError: errs.on}
			l, err := lc.Wrap(inner)
			require.NoError(t, err)
			assert.Equal(t, row.want, testkit.ReadAny(t, accept(t, l, row.client)))
			require.Len(t, errs.errs, row.errors)
			for _, err := range errs.errs {
				assert.ErrorIs(t, err, errors.ErrUnsupported)
				assert.ErrorContains(t, err, "TCP_USER_TIMEOUT")
			}
		})
	}
}

func TestRestoreMultipath(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	lc := net.ListenConfig{Control: func(network, address string, c syscall.RawConn) error {
		_ = setting(theirs)(network, address, c) // the last option, the user timeout, is refused
		return nil
	}}
	l, err := listener.Restore(opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0")))
	require.NoError(t, err)
	require.Equal(t, unix.IPPROTO_MPTCP, protocolOf(t, l))
	want := theirs
	assert.Equal(t, want, testkit.ReadAny(t, accept(t, l, false)))
	want.UserTimeout = -1
	assert.Equal(t, want, testkit.ReadAny(t, accept(t, l, true)))
}

func TestWrapErrorOfLinux(t *testing.T) {
	t.Parallel()
	_, err := listener.Wrap(opened(t)(net.Listen("tcp4", "127.0.0.1:0")), sockopt.Config{Count: 1000})
	require.ErrorContains(t, err, "TCP_KEEPCNT on linux takes 1 to 127")
}
