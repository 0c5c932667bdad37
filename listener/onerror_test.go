//go:build linux

package listener_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestOptionErrorsDoNotStopAccept(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		kernel          *kerneltest.Fake
		withoutReadBack bool
		texts           []string // nil: no error
	}{
		"one option refused":   {refusing(isAccepted, unix.EPERM, unix.TCP_KEEPCNT), false, []string{"setsockopt TCP_KEEPCNT=3"}},
		"every option refused": {refusing(isAccepted, unix.ENOPROTOOPT, unix.TCP_KEEPIDLE, unix.TCP_KEEPINTVL, unix.TCP_KEEPCNT), false, []string{"TCP_KEEPIDLE=111", "TCP_KEEPINTVL=22", "TCP_KEEPCNT=3"}},
		"an option that did not take": {
			lying(isAccepted, 15, unix.TCP_KEEPIDLE), false, []string{"TCP_KEEPIDLE: asked for 111, the kernel holds 15"}},
		"the same without read-back": {
			lying(isAccepted, 15, unix.TCP_KEEPIDLE, unix.TCP_KEEPINTVL, unix.TCP_KEEPCNT, unix.TCP_USER_TIMEOUT), true, nil},
	} {
		for _, pin := range []bool{false, true} {
			name := rule
			if pin {
				name += ", pinned"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var errs heard
				lc := (&listener.ListenConfig{Config: asked, OnError: errs.on, Pin: pin, WithoutReadBack: row.withoutReadBack}).WithKernel(row.kernel)
				l, err := lc.Wrap(opened(t)(net.Listen("tcp4", "127.0.0.1:0")))
				require.NoError(t, err)
				for range 3 { // the user's function hears of every connection
					client, server := connect(t, l, false)
					_, err := client.Write([]byte("x"))
					require.NoError(t, err)
					_, err = io.ReadFull(server, make([]byte, 1))
					require.NoError(t, err, "the connection works")
				}
				if row.texts == nil {
					assert.Empty(t, errs.errs)
					return
				}
				require.Len(t, errs.errs, 3)
				for _, text := range row.texts {
					assert.ErrorContains(t, errs.errs[0], text)
				}
			})
		}
	}
}

// Not parallel: it replaces the default logger.
func TestDistinctErrorsAreLoggedOnceEach(t *testing.T) {
	var log strings.Builder
	standard := slog.Default()
	defer slog.SetDefault(standard)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	kernel := kerneltest.Running()
	kernel.Only = isAccepted
	lc := (&listener.ListenConfig{Config: asked}).WithKernel(kernel)
	l, err := lc.Wrap(opened(t)(net.Listen("tcp4", "127.0.0.1:0")))
	require.NoError(t, err)
	for range 2 {
		for _, n := range []int{unix.TCP_KEEPIDLE, unix.TCP_KEEPCNT} {
			kernel.FailSet = map[kerneltest.At]error{{unix.IPPROTO_TCP, n}: unix.EPERM}
			accept(t, l, false)
		}
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2)
	assert.Contains(t, lines[0], "TCP_KEEPIDLE")
	assert.Contains(t, lines[1], "TCP_KEEPCNT")
}

// A kernel whose every error is another must not fill the log for ever.
//
// Not parallel: it replaces the default logger.
func TestLogIsBounded(t *testing.T) {
	var log strings.Builder
	standard := slog.Default()
	defer slog.SetDefault(standard)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	kernel := lying(isAccepted, 1000, unix.TCP_KEEPIDLE)
	lc := (&listener.ListenConfig{Config: asked}).WithKernel(kernel)
	l, err := lc.Wrap(opened(t)(net.Listen("tcp4", "127.0.0.1:0")))
	require.NoError(t, err)
	const accepts = 100
	for range accepts {
		kernel.Answer[kerneltest.At{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}]++
		accept(t, l, false)
	}
	lines := strings.Count(log.String(), "\n")
	assert.Positive(t, lines)
	assert.Less(t, lines, accepts)
}

// Not parallel: it counts descriptors and goroutines.
func TestTenThousandAcceptsWithErrors(t *testing.T) {
	const accepts, clients = 10_000, 16
	leaks := socktest.StartLeakCheck(t)
	var count, wrong atomic.Int32
	lc := (&listener.ListenConfig{Config: asked, OnError: func(c net.Conn, err error) {
		if c == nil || !strings.Contains(err.Error(), "TCP_KEEPCNT=3") {
			wrong.Add(1)
		}
		count.Add(1)
	}}).WithKernel(refusing(isAccepted, unix.EPERM, unix.TCP_KEEPCNT))
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := lc.Wrap(inner)
	require.NoError(t, err)

	// The server greets, the client resets: no TIME_WAIT on either side, and no
	// reset can overtake the end of connect.
	var accepted atomic.Int32
	var servers, dialers sync.WaitGroup
	servers.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				assert.ErrorIs(t, err, net.ErrClosed)
				return
			}
			accepted.Add(1)
			servers.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(20 * time.Second))
				c.Write([]byte("x"))
				io.Copy(io.Discard, c)
			})
		}
	})
	for range clients {
		dialers.Go(func() {
			d := net.Dialer{KeepAlive: -1, Timeout: 10 * time.Second}
			for range accepts / clients {
				c, err := d.Dial("tcp4", l.Addr().String())
				if !assert.NoError(t, err) {
					return
				}
				c.SetDeadline(time.Now().Add(20 * time.Second))
				_, err = io.ReadFull(c, make([]byte, 1))
				assert.NoError(t, err)
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
		})
	}
	dialers.Wait()
	require.NoError(t, l.Close())
	servers.Wait()
	assert.EqualValues(t, accepts, accepted.Load())
	assert.EqualValues(t, accepts, count.Load())
	assert.Zero(t, wrong.Load())
	leaks.End(t)
}

func TestOnErrorDoesNotConcernListen(t *testing.T) {
	t.Parallel()
	var errs heard
	lc := (&listener.ListenConfig{Config: asked, OnError: errs.on}).WithKernel(refusing(isAccepted, unix.EPERM, unix.TCP_KEEPCNT))
	_, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0") // the socket does not listen yet
	require.ErrorIs(t, err, unix.EPERM)
	assert.Equal(t, sockopt.OtherCause, sockopt.CauseOf(err))
	assert.Empty(t, errs.errs)
}
