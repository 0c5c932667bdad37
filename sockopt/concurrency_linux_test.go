package sockopt_test

import (
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// useAll calls everything of the package that visits the socket below c.
func useAll(t testing.TB, c any) {
	t.Helper()
	cfg := sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	require.NoError(t, sockopt.Set(c, cfg))
	_, err := sockopt.Get(c)
	require.NoError(t, err)
	_, err = socket.KindOf(c)
	require.NoError(t, err)
	rc, err := socket.RawConn(c)
	require.NoError(t, err)
	require.NoError(t, sockopt.Set(rc, cfg))
	_, err = sockopt.Get(rc)
	require.NoError(t, err)
	s, err := socket.OS{}.NewSetter(kernel.Request(cfg))
	require.NoError(t, err)
	require.NoError(t, s.Set(c))
}

func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

// net.TCPConn.File would duplicate the descriptor, and Fd of the copy make the
// connection blocking (golang/go#24942). Not parallel: it counts the
// descriptors of the process.
func TestTheDescriptorIsLeftAlone(t *testing.T) {
	tlsClient, _, tcp, _ := tlsPair(t)
	flags := func() (status, descriptor int) {
		rc, err := tcp.SyscallConn()
		require.NoError(t, err)
		require.NoError(t, rc.Control(func(fd uintptr) {
			status, err = unix.FcntlInt(fd, unix.F_GETFL, 0)
			require.NoError(t, err)
			descriptor, err = unix.FcntlInt(fd, unix.F_GETFD, 0)
			require.NoError(t, err)
		}))
		return status, descriptor
	}
	status, descriptor := flags()
	require.NotZero(t, status&unix.O_NONBLOCK)
	before := openFiles(t)
	for _, c := range []any{tcp, tlsClient, sockopt.Pin(tcp), nested(tcp, 3), struct{ *net.TCPConn }{tcp}} {
		useAll(t, c)
	}
	assert.Equal(t, before, openFiles(t), "a descriptor was duplicated or leaked")
	statusAfter, descriptorAfter := flags()
	assert.Equal(t, status, statusAfter)
	assert.Equal(t, descriptor, descriptorAfter)
}

func readOneByte(c net.Conn, done chan<- error) {
	_, err := c.Read(make([]byte, 1))
	done <- err
}

// untilBlocked returns when the goroutine that runs function waits for its
// socket.
func untilBlocked(t testing.TB, function string) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(stack, "[IO wait") && strings.Contains(stack, function) {
				return
			}
		}
	}
	require.Fail(t, "nobody blocks in "+function)
}

// RawConn.Control takes no read or write lock (internal/poll, FD.RawControl).
func TestBesideABlockedRead(t *testing.T) {
	client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
	done := make(chan error, 1)
	go readOneByte(client, done)
	untilBlocked(t, "readOneByte")

	start := time.Now()
	useAll(t, client)
	assert.Less(t, time.Since(start), time.Second)
	select {
	case err := <-done:
		require.Fail(t, "the reader was disturbed", "%v", err)
	default:
	}
	assert.Equal(t, 60, testkit.Read(t, client).Idle)

	_, err := server.Write([]byte("x"))
	require.NoError(t, err)
	assert.NoError(t, <-done)
}

// Whoever comes after Close gets net.ErrClosed, never the socket that has the
// descriptor's number by then.
func TestCloseMeanwhile(t *testing.T) {
	t.Parallel()
	cfg := sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	setter, err := socket.OS{}.NewSetter(kernel.Request(cfg))
	require.NoError(t, err)
	var closed, worked int
	for range 100 {
		client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
		rc, err := socket.RawConn(client)
		require.NoError(t, err)
		calls := []func() error{
			func() error { return sockopt.Set(client, cfg) },
			func() error { return setter.Set(client) },
			func() error { return sockopt.Set(rc, cfg) },
			func() error { _, err := sockopt.Get(client); return err },
			func() error { _, err := sockopt.Get(rc); return err },
			func() error { _, err := socket.KindOf(client); return err },
			func() error { return sockopt.Set(nested(sockopt.Pin(client), 2), cfg) },
		}
		results := make(chan error, 2*len(calls))
		var atOnce sync.WaitGroup
		start := make(chan struct{})
		for _, call := range calls {
			atOnce.Go(func() {
				<-start
				for range 2 {
					results <- call()
				}
			})
		}
		atOnce.Go(func() {
			<-start
			runtime.Gosched()
			client.Close()
		})
		close(start)
		atOnce.Wait()
		close(results)
		for err := range results {
			switch {
			case err == nil:
				worked++
			case errors.Is(err, net.ErrClosed):
				closed++
			default:
				require.NoError(t, err)
			}
		}
	}
	assert.NotZero(t, closed, "Close was never first")
	assert.NotZero(t, worked, "Close was always first")
}

// One Setter, many connections, a different Config next to it: no call may see
// the values of another.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	var atOnce sync.WaitGroup
	for n := 1; n <= 8; n++ {
		client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
		cfg := sockopt.Config{Idle: seconds(float64(n)), Interval: seconds(float64(10 * n)), Count: n, UserTimeout: seconds(float64(100 * n))}
		setter, err := socket.OS{}.NewSetter(kernel.Request(cfg))
		require.NoError(t, err)
		want := settings(testkit.Values{KeepAlive: 1, Idle: n, Interval: 10 * n, Count: n, UserTimeout: 100_000 * n})
		for _, set := range []func() error{
			func() error { return sockopt.Set(client, cfg) },
			func() error { return setter.Set(server) },
		} {
			atOnce.Go(func() {
				for range 100 {
					assert.NoError(t, set())
				}
			})
		}
		atOnce.Go(func() {
			for range 100 {
				assert.NoError(t, sockopt.Set(client, cfg))
				got, err := sockopt.Get(client)
				assert.NoError(t, err)
				assert.Equal(t, want, got)
			}
		})
	}
	// Errors must name their own Config, too.
	udp, err := net.Dial("udp", "127.0.0.1:9")
	require.NoError(t, err)
	defer udp.Close()
	for n := 1; n <= 4; n++ {
		cfg := sockopt.Config{Count: n}
		atOnce.Go(func() {
			for range 100 {
				err := sockopt.Set(struct{ *net.UDPConn }{udp.(*net.UDPConn)}, cfg)
				assert.EqualError(t, err, "sockopt: keepalive "+cfg.String()+": not a TCP socket")
			}
		})
	}
	atOnce.Wait()
}
