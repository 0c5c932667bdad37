//go:build !linux && !js && !wasip1 && !plan9

package inspect_test

import (
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Elsewhere than on Linux the settings are known, and the rest is said to be
// unknown.
func TestWhereOnlyTheSettingsAreKnown(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	conn, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()

	r, err := inspect.Of(conn)
	require.NoError(t, err)
	want, err := sockopt.Get(conn)
	require.NoError(t, err)
	assert.Equal(t, want, r.Settings)
	assert.True(t, r.Settings.Known.Has(platform.KeepAlive))
	assert.Equal(t, "", r.Timer.Kind)
	assert.Equal(t, "", r.Source)
	assert.Equal(t, "timer:(unknown)", r.Timer.String())
	assert.Contains(t, r.Explain(), "unknown")
	_, err = r.NextProbe()
	assert.ErrorIs(t, err, sockopt.ErrUnknown)

	for rule, err := range map[string]error{
		"the timer":    r.Unknown,
		"Alive":        inspect.Alive(conn),
		"FindOwners":   second(inspect.FindOwners()),
		"Handle.Alive": func() error { h, err := inspect.NewHandle(conn); require.NoError(t, err); return h.Alive() }(),
	} {
		assert.ErrorIs(t, err, errors.ErrUnsupported, rule)
	}
	n := 0
	for s, err := range inspect.List(inspect.Filter{}) {
		n++
		assert.Nil(t, s)
		assert.ErrorIs(t, err, errors.ErrUnsupported)
	}
	assert.Equal(t, 1, n)
	_, err = inspect.Of(nil)
	assert.ErrorIs(t, err, sockopt.ErrNoSocket)
}

func second[T any](_ T, err error) error { return err }
