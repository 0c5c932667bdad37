package lab

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/netlab"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// TestWithoutRoot: the lab works for every user, where the kernel has user namespaces:
// namespaces, the load balancer, the capture.
func TestWithoutRoot(t *testing.T) {
	t.Parallel()
	if !netlab.InUserNamespace() && !socktest.InChildAsNobody(t) {
		return
	}
	b := netlab.NewBalancer(t, time.Second, netlab.Resets)
	require.True(t, netlab.InUserNamespace())
	c := connectThrough(t, b, plainSide, plainSide)
	require.NoError(t, exchange(c))
	time.Sleep(2 * time.Second)
	assert.Equal(t, sockopt.Reset, sockopt.CauseOf(exchange(c)))

	w := newWorld(t, ours(probing, false), plainSide, "127.0.0.1:0")
	assert.Len(t, w.watch(t, 2500*time.Millisecond), 2, "a probe and its answer")
}
