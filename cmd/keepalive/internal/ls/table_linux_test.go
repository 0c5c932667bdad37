package ls

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// That Multipath TCP has no user timeout is known.
func TestTheTableOfMultipathTCP(t *testing.T) {
	testkit.NeedMultipath(t)
	var lc net.ListenConfig
	lc.SetMultipathTCP(true)
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 100 * time.Second, Interval: 20 * time.Second, Count: 5}}
	d.SetMultipathTCP(true)
	c, err := d.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	flags := []string{"--local", c.LocalAddr().String(), "--peer", c.RemoteAddr().String()}
	out, _ := ls(t, append(flags, "--columns", "user-timeout")...)
	assert.Regexp(t, `\n +off\n$`, out)
	out, errs := ls(t, append(flags, "--columns", "keepalive")...)
	assert.Equal(t, "KEEPALIVE\n100/20/5\n", out)
	assert.Contains(t, errs, "KEEPALIVE is idle/interval/count")
}
