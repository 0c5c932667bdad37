package listener_test

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Multipath TCP connection has no user timeout, which is as good as off. It rests on
// a connection that is overwritten within a second of accept.
func TestVerifyAfterOfMultipath(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	var errs heard
	reported := make(chan struct{}, 4)
	lc := listener.ListenConfig{Config: askedEarly, MultipathTCP: true, VerifyAfter: time.Second,
		OnError: func(c net.Conn, err error) { errs.on(c, err); reported <- struct{}{} }}
	l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
	c := accept(t, l, true)
	multipath, err := c.(*net.TCPConn).MultipathTCP()
	require.NoError(t, err)
	require.True(t, multipath)
	before, err := sockopt.Get(c)
	require.NoError(t, err)
	assert.NoError(t, sockopt.Verify(c, sockopt.FromSettings(before)))
	marker := accept(t, l, true)
	require.NoError(t, sockopt.Set(marker, sockopt.Config{Count: 7}))
	<-reported
	require.Len(t, errs.errs, 1)
	assert.Equal(t, marker, errs.conns[0])
	assert.ErrorContains(t, errs.errs[0], "TCP_KEEPCNT: asked for 3, the kernel holds 7")
}

// What cannot be read cannot be verified, which is said.
func TestVerifyAfterOfWhatCannotBeRead(t *testing.T) {
	if runtime.GOARCH == "386" || runtime.GOARCH == "s390x" {
		t.Skip("getsockopt is not a system call of its own there (socketcall)")
	}
	if !testkit.InChild(t, nil) {
		return
	}
	var errs heard
	lc := listener.ListenConfig{Config: asked, VerifyAfter: time.Hour, OnError: errs.on}
	l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
	client, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	testkit.FailCall(t, unix.SYS_GETSOCKOPT, unix.EPERM)
	c, err := l.Accept()
	require.NoError(t, err)
	defer c.Close()
	require.Len(t, errs.errs, 1)
	assert.ErrorIs(t, errs.errs[0], unix.EPERM)
	assert.ErrorContains(t, errs.errs[0], "cannot be verified later")
}
