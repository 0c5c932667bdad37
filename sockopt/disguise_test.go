package sockopt_test

import (
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A disguised connection shows its socket but not its type, so that only the kernel can
// tell its protocol.
type disguised struct{ syscall.Conn }

// On every system the kernel's answer distinguishes TCP from the other protocols.
func TestDisguisedSocketsAreNotTCP(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	for rule, dial := range map[string]func(t *testing.T) net.Conn{
		"a connected Unix socket": func(t *testing.T) net.Conn {
			l, err := net.Listen("unix", testkit.UnixPath(t))
			require.NoError(t, err)
			t.Cleanup(func() { l.Close() })
			c, err := net.Dial("unix", l.Addr().String())
			require.NoError(t, err)
			return c
		},
		"UDP": func(t *testing.T) net.Conn {
			testkit.NeedUDP(t)
			c, err := net.Dial("udp4", "127.0.0.1:9")
			require.NoError(t, err)
			return c
		},
		"UDP over IPv6": func(t *testing.T) net.Conn {
			testkit.NeedUDP(t)
			testkit.NeedIPv6(t)
			c, err := net.Dial("udp6", "[::1]:9")
			require.NoError(t, err)
			return c
		},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			c := testkit.Closing(t, dial(t))
			d := disguised{c.(syscall.Conn)}
			require.ErrorIs(t, sockopt.Set(d, sockopt.Config{}), sockopt.ErrNotTCP)
			_, err := sockopt.Get(d)
			require.ErrorIs(t, err, sockopt.ErrNotTCP)
			assert.False(t, testkit.IsOn(t, c), "nothing was set")
		})
	}
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	assert.NoError(t, sockopt.Set(disguised{client}, sockopt.Config{}))
	assert.True(t, testkit.IsOn(t, client))
}
