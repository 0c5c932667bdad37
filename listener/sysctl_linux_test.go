package listener_test

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// net.ipv4.tcp_keepalive_time takes more than TCP_KEEPIDLE does, so a listening
// socket may hold an idle time that cannot be put back after accept.
func TestWrapWhereTheSysctlIsBeyondTheOption(t *testing.T) {
	testkit.InNamespace(t, func() {
		require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/tcp_keepalive_time", []byte("40000"), 0))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()

		before := testkit.Read(t, l.(*net.TCPListener))
		require.Equal(t, 40000, before.Idle)
		_, err = listener.Wrap(l, sockopt.Config{Count: 5})
		require.ErrorContains(t, err, "a value of the listening socket cannot be set on a connection; set it in the Config")
		require.ErrorContains(t, err, "idle=40000s is too large")
		assert.Equal(t, before, testkit.Read(t, l.(*net.TCPListener)), "nothing is half applied")

		_, err = listener.Wrap(l, sockopt.Config{Idle: 60e9})
		require.NoError(t, err)
	})
	testkit.InNamespace(t, func() { // keepalive is off, so its timing does not matter
		require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/tcp_keepalive_time", []byte("40000"), 0))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		_, err = listener.Restore(l)
		require.NoError(t, err)
	})
}

// What a sysctl gives is read back and compared all the same: an untouched connection
// is as it was, and of an overwritten one it is said what has changed. It rests on a
// connection that is overwritten within a second of accept.
func TestVerifyAfterWhereTheSysctlIsBeyondTheOption(t *testing.T) {
	t.Parallel()
	for sysctl, value := range map[string]string{
		"tcp_keepalive_time": "86400", "tcp_keepalive_intvl": "40000", "tcp_keepalive_probes": "255",
	} {
		t.Run(sysctl, func(t *testing.T) {
			t.Parallel()
			ns := lab.NewNamespace(t)
			ns.Sysctl("net.ipv4."+sysctl, value)
			var errs heard
			reported := make(chan struct{}, 4)
			lc := listener.ListenConfig{
				Config: sockopt.Config{UserTimeout: time.Minute}, VerifyAfter: time.Second,
				OnError: func(c net.Conn, err error) { errs.on(c, err); reported <- struct{}{} },
			}
			var overwritten net.Conn
			require.NoError(t, ns.Do(func() error {
				l := opened(t)(lc.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
				untouched := accept(t, l, false)
				before, err := sockopt.Get(untouched)
				require.NoError(t, err)
				assert.NoError(t, sockopt.Verify(untouched, sockopt.FromSettings(before)))
				overwritten = accept(t, l, false)
				setUserTimeout(t, overwritten)
				return nil
			}))
			<-reported
			require.Len(t, errs.errs, 1)
			assert.Equal(t, overwritten, errs.conns[0])
			assert.ErrorContains(t, errs.errs[0], "overwritten within 1s of accept")
			require.Len(t, mismatches(errs.errs[0]), 1)
			assert.Equal(t, platform.UserTimeout, mismatches(errs.errs[0])[0].Option)
		})
	}
}
