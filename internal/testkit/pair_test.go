package testkit_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// Whoever dials a port that was his own until just now comes before the client.
func TestAcceptLeavesStrangersOut(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", ":0"} {
		l, err := net.Listen("tcp", address)
		require.NoError(t, err)
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		dial := func() net.Conn {
			c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
			require.NoError(t, err)
			return testkit.Closing(t, c)
		}
		dial()
		client := dial()
		server := testkit.Accept(t, l, client)
		assert.Equal(t, client.LocalAddr().String(), server.RemoteAddr().String())
	}
}
