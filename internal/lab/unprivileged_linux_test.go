package lab

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// If the kernel lets every user create user namespaces, the lab works without root:
// namespaces, the load balancer and the capture.
func TestWithoutRoot(t *testing.T) {
	t.Parallel()
	if !InUserNamespace() && !testkit.InChildAsNobody(t) {
		return
	}
	b := NewBalancer(t, time.Second, Resets)
	require.True(t, InUserNamespace())
	c := connectThrough(t, b, plainSide, plainSide)
	require.NoError(t, exchange(c))
	time.Sleep(2 * time.Second)
	assert.Equal(t, sockopt.Reset, sockopt.CauseOf(exchange(c)))

	w := newWorld(t, ours(probing, false), plainSide, "127.0.0.1:0")
	assert.Len(t, w.watch(t, 2500*time.Millisecond), 2, "a probe and its answer")
}
