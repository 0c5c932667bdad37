package lab

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A load balancer with a timeout of 4 s forgets a connection that is silent for longer, and
// the test shows which error the program gets. The plan for that timeout keeps the connection
// alive, in the long tests for ten timeouts.
func TestABalancerThatForgets(t *testing.T) {
	t.Parallel()
	const timeout = 4 * time.Second
	plan, err := align.Request{Path: []align.Profile{{ID: "balancer", Timeout: timeout, Refreshed: platform.Yes}}}.Plan()
	require.NoError(t, err)
	aligned := plan.Config
	intervalTooLong := sockopt.Config{Idle: time.Second, Interval: 10 * time.Second, Count: 3}
	const silence = timeout * 3 / 2 // a busy machine only makes it longer
	kept := silence
	if testkit.LongTestsRun() {
		kept = 10 * timeout
	}
	const (
		alive = "alive"
		reset = "reset"
		hangs = "hangs" // until the program's own deadline
	)
	for _, tt := range []struct {
		name           string
		client, server side
		resets, drops  string
	}{
		{"Go's defaults", goSide, goSide, reset, hangs},
		{"no keepalive", plainSide, plainSide, reset, hangs},
		{"the client alone", ours(aligned, false), plainSide, alive, alive},
		{"the server alone", plainSide, ours(aligned, false), alive, alive},
		{"both", ours(aligned, false), ours(aligned, false), alive, alive},
		{"an interval longer than the timeout", ours(intervalTooLong, false), plainSide, reset, hangs},
	} {
		for forgets, want := range map[Forgets]string{Resets: tt.resets, Drops: tt.drops} {
			t.Run(tt.name+", "+want, func(t *testing.T) {
				t.Parallel()
				b := NewBalancer(t, timeout, forgets)
				client := connectThrough(t, b, tt.client, tt.server)
				require.NoError(t, exchange(client))
				silent := silence
				if want == alive {
					silent = kept
				}
				time.Sleep(silent)
				within := setupTime
				if want == hangs {
					within = time.Second
				}
				err := testkit.Exchange(client, within)
				switch want {
				case alive:
					assert.NoError(t, err)
				case reset:
					assert.Equal(t, sockopt.Reset, sockopt.CauseOf(err), "%v", err)
				case hangs:
					assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
				}
			})
		}
	}
}

// connectThrough makes a connection to an echo server behind b.
func connectThrough(t *testing.T, b *Balancer, client, server side) net.Conn {
	t.Helper()
	var l net.Listener
	require.NoError(t, b.Server.Do(func() (err error) {
		l, err = server.listen(":0")
		return err
	}))
	testkit.Serve(t, l, testkit.Echo)
	var c net.Conn
	require.NoError(t, b.Client.Do(func() (err error) {
		c, err = client.dial(b.Address(l.Addr().(*net.TCPAddr).Port))
		return err
	}))
	t.Cleanup(func() { c.Close() })
	return c
}

// setupTime bounds the time of operations that succeed, on a busy machine.
const setupTime = 10 * time.Second

// exchange asks the echo server for a byte.
func exchange(c net.Conn) error { return testkit.Exchange(c, setupTime) }
