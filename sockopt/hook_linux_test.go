package sockopt_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// hook is the Control hook of fullConfig that packages dialer and listener use.
func hook(t testing.TB) func(network, address string, c syscall.RawConn) error {
	t.Helper()
	s, err := socket.OS{}.NewSetter(kernel.Request(fullConfig))
	require.NoError(t, err)
	return s.Hook
}

var fullSocket = testkit.Values{KeepAlive: 1, Idle: 60, Interval: 10, Count: 3, UserTimeout: 90000}

func TestNoSetterForAnInvalidConfig(t *testing.T) {
	t.Parallel()
	invalid := sockopt.Config{Idle: -1, Count: 128}
	_, err := socket.OS{}.NewSetter(kernel.Request(invalid))
	assert.EqualError(t, invalid.Validate(), "sockopt: "+err.Error())
	var faults platform.Faults
	require.ErrorAs(t, err, &faults)
	assert.Len(t, faults, 2)
}

func TestHookInADialer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule   string
		dialer net.Dialer
		want   testkit.Values
	}{
		{"with KeepAlive -1 the values stay", net.Dialer{KeepAlive: -1, Control: hook(t)}, fullSocket},
		{"without, Go overwrites all but the user timeout", net.Dialer{Control: hook(t)},
			testkit.Values{KeepAlive: 1, Idle: 15, Interval: 15, Count: 9, UserTimeout: 90000}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			c, err := tt.dialer.Dial("tcp", plainListener(t).Addr().String())
			require.NoError(t, err)
			defer c.Close()
			assert.Equal(t, tt.want, testkit.Read(t, c.(*net.TCPConn)))
		})
	}
}

func TestHookInAListenConfig(t *testing.T) {
	t.Parallel()
	lc := net.ListenConfig{KeepAlive: -1, Control: hook(t)}
	lc.SetMultipathTCP(false)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			needIPv6(t)
			l, err := lc.Listen(context.Background(), "tcp", address)
			require.NoError(t, err)
			defer l.Close()
			assert.Equal(t, fullSocket, testkit.Read(t, l.(*net.TCPListener)))
			assert.Equal(t, fullSocket, testkit.Read(t, dialAndAccept(t, l)))
		})
	}
}

// SO_KEEPALIVE=1 would succeed on all of these.
func TestHookLeavesWhatIsNotTCPAlone(t *testing.T) {
	t.Parallel()
	lc := net.ListenConfig{Control: hook(t)}
	d := net.Dialer{Control: hook(t)}
	ctx := context.Background()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }

	stream, err := lc.Listen(ctx, "unix", path("stream"))
	require.NoError(t, err)
	packet, err := lc.Listen(ctx, "unixpacket", path("packet"))
	require.NoError(t, err)
	unixgram, err := lc.ListenPacket(ctx, "unixgram", path("gram"))
	require.NoError(t, err)
	udp, err := lc.ListenPacket(ctx, "udp", "127.0.0.1:0")
	require.NoError(t, err)
	dialedStream, err := d.Dial("unix", path("stream"))
	require.NoError(t, err)
	dialedGram, err := d.Dial("unixgram", path("gram"))
	require.NoError(t, err)
	dialedUDP, err := d.Dial("udp", udp.LocalAddr().String())
	require.NoError(t, err)
	for _, c := range []interface{ Close() error }{stream, packet, unixgram, udp, dialedStream, dialedGram, dialedUDP} {
		t.Cleanup(func() { c.Close() })
		assert.Zero(t, intOption(t, c.(syscall.Conn), unix.SOL_SOCKET, unix.SO_KEEPALIVE), "%T was touched", c)
	}
}

// A fixedRawConn gives access to no socket, or says why not.
type fixedRawConn struct {
	syscall.RawConn
	err error
}

func (c fixedRawConn) Control(f func(fd uintptr)) error {
	if c.err == nil {
		f(^uintptr(0))
	}
	return c.err
}

func TestHookTellsInnerFromOuterErrors(t *testing.T) {
	t.Parallel()
	k := fakeSocket()
	s := setter(t, k, fullConfig)

	t.Run("no access to the descriptor", func(t *testing.T) {
		err := s.Hook("tcp4", "127.0.0.1:1", fixedRawConn{err: net.ErrClosed})
		assert.EqualError(t, err, "use of closed network connection")
		assert.ErrorIs(t, err, net.ErrClosed)
		assert.Empty(t, k.Sets)
	})
	t.Run("not TCP, so the descriptor is not even asked for", func(t *testing.T) {
		for _, network := range []string{"", "udp4", "udp6", "ip4", "ip6", "unix", "unixgram", "unixpacket"} {
			assert.NoError(t, s.Hook(network, "", fixedRawConn{err: net.ErrClosed}), network)
		}
		assert.Empty(t, k.Sets)
	})
	t.Run("the kernel refuses", func(t *testing.T) {
		k.FailSet[keepIdle] = unix.EPERM
		for _, network := range []string{"tcp", "tcp4", "tcp6"} {
			err := s.Hook(network, "127.0.0.1:1", fixedRawConn{})
			assert.EqualError(t, err, fullText+"setsockopt TCP_KEEPIDLE=60: operation not permitted", network)
		}
		assert.Len(t, k.Sets, 3*5)
	})
}

// What the hook returns is what a program gets from Dial and Listen.
func TestHookErrorReachesTheCaller(t *testing.T) {
	t.Parallel()
	k := fakeSocket()
	k.Answer[keepCnt] = 9
	s := setter(t, k, fullConfig)
	const text = fullText + "TCP_KEEPCNT: asked for 3, the kernel holds 9"

	d := net.Dialer{KeepAlive: -1, Control: s.Hook}
	_, err := d.Dial("tcp", plainListener(t).Addr().String())
	assert.ErrorContains(t, err, text)
	var mismatch *platform.MismatchError
	assert.ErrorAs(t, err, &mismatch)
	assert.Equal(t, sockopt.DialFailed, sockopt.CauseOf(err))

	lc := net.ListenConfig{KeepAlive: -1, Control: s.Hook}
	_, err = lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	assert.ErrorContains(t, err, text)
	assert.ErrorAs(t, err, &mismatch)
}

// Multipath TCP has no user timeout, and Go falls back to plain TCP when the
// hook fails (net/mptcpsock_linux.go), so the option is there in the end.
func TestHookOnMultipathTCP(t *testing.T) {
	t.Parallel()
	multipathPair(t) // skips where there is no Multipath TCP
	var mu sync.Mutex
	var errs []error
	control := hook(t)
	lc := net.ListenConfig{KeepAlive: -1, Control: func(network, address string, c syscall.RawConn) error {
		err := control(network, address, c)
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
		return err
	}}
	lc.SetMultipathTCP(true)
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	assert.Equal(t, fullSocket, testkit.Read(t, l.(*net.TCPListener)))
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, errs, 2)
	assert.ErrorIs(t, errs[0], errors.ErrUnsupported)
	assert.EqualError(t, errs[0], fullText+"setsockopt TCP_USER_TIMEOUT=90000: protocol not available")
	assert.NoError(t, errs[1])
}

func TestHookConcurrently(t *testing.T) {
	t.Parallel()
	d := net.Dialer{KeepAlive: -1, Control: hook(t)}
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	address := plainListener(t).Addr().String()
	var atOnce sync.WaitGroup
	for range 16 {
		atOnce.Go(func() {
			for range 4 {
				c, err := d.Dial("tcp", address)
				if !assert.NoError(t, err) {
					return
				}
				assert.Equal(t, fullSocket, testkit.Read(t, c.(*net.TCPConn)))
				c.Close()
			}
		})
	}
	atOnce.Wait()
}
