package discover_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A connection that ends on this side shows nothing about the path.
func TestConnectionsThatAreClosedHere(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	address := serve(t, testkit.Echo)
	r, err := discover.Run(within(t, time.Minute), discover.Options{
		Check: discover.Echo, Connections: 4, Min: time.Second, Max: 3 * time.Second,
		Dial: func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", address)
			if err == nil {
				time.AfterFunc(1500*time.Millisecond, func() { c.Close() })
			}
			return c, err
		},
	})
	t.Log(r, err)
	require.NotNil(t, r)
	assert.Zero(t, r.Dead)
	assert.Zero(t, r.SomeDead)
	if err == nil {
		assert.ErrorIs(t, r.Err(), sockopt.ErrUnknown)
	}
	failed := 0
	for _, test := range r.Tests {
		if test.End == "failed" {
			assert.ErrorIs(t, test.Err, net.ErrClosed)
			failed++
		}
	}
	assert.NotZero(t, failed)
}
