package listener_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/configtest"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestOptionErrorsDoNotStopAccept(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		kernel          *kerneltest.Fake
		withoutReadBack bool
		texts           []string // nil: no error
	}{
		"one option refused":   {refusing(isAccepted, kerneltest.EPERM, platform.Count), false, []string{"setsockopt " + configtest.Calling(platform.Count, 3)}},
		"every option refused": {refusing(isAccepted, kerneltest.ENOPROTOOPT, platform.Idle, platform.Interval, platform.Count), false, []string{configtest.Calling(platform.Idle, 111), configtest.Calling(platform.Interval, 22), configtest.Calling(platform.Count, 3)}},
		"an option that did not take": {
			lying(isAccepted, 15, platform.Idle), false, []string{configtest.Differing(platform.Idle, 111, 15)}},
		"the same without read-back": {
			lying(isAccepted, 15, platform.Idle, platform.Interval, platform.Count, platform.UserTimeout), true, nil},
	} {
		for _, pin := range []bool{false, true} {
			name := rule
			if pin {
				name += ", pinned"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				testkit.NeedReadable(t, platform.Idle, platform.Interval, platform.Count)
				var errs heard
				lc := (&listener.ListenConfig{Config: asked, OnError: errs.on, Pin: pin, WithoutReadBack: row.withoutReadBack}).On(socket.OS{Calls: row.kernel})
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
	testkit.NeedReadable(t, platform.Idle, platform.Interval, platform.Count)
	var log strings.Builder
	standard := slog.Default()
	defer slog.SetDefault(standard)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	kernel := kerneltest.Running()
	kernel.Only = isAccepted
	lc := (&listener.ListenConfig{Config: asked}).On(socket.OS{Calls: kernel})
	l, err := lc.Wrap(opened(t)(net.Listen("tcp4", "127.0.0.1:0")))
	require.NoError(t, err)
	for range 2 {
		for _, o := range []platform.Option{platform.Idle, platform.Count} {
			kernel.FailSet = map[kerneltest.At]error{configtest.At(o): kerneltest.EPERM}
			accept(t, l, false)
		}
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2)
	assert.Contains(t, lines[0], testkit.Of(platform.Idle).Symbol)
	assert.Contains(t, lines[1], testkit.Of(platform.Count).Symbol)
}

// A kernel whose every error is another must not fill the log for ever.
//
// Not parallel: it replaces the default logger.
func TestLogIsBounded(t *testing.T) {
	testkit.NeedReadable(t, platform.Idle, platform.Interval, platform.Count)
	var log strings.Builder
	standard := slog.Default()
	defer slog.SetDefault(standard)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	kernel := lying(isAccepted, 1000, platform.Idle)
	lc := (&listener.ListenConfig{Config: asked}).On(socket.OS{Calls: kernel})
	l, err := lc.Wrap(opened(t)(net.Listen("tcp4", "127.0.0.1:0")))
	require.NoError(t, err)
	const accepts = 100
	for range accepts {
		kernel.Answer[configtest.At(platform.Idle)]++
		accept(t, l, false)
	}
	lines := strings.Count(log.String(), "\n")
	assert.Positive(t, lines)
	assert.Less(t, lines, accepts)
}

func TestOnErrorDoesNotConcernListen(t *testing.T) {
	t.Parallel()
	testkit.NeedReadable(t, platform.Count)
	testkit.Need(t, platform.Current().ArmsListener == platform.No, "nothing is set on a listening socket here")
	var errs heard
	lc := (&listener.ListenConfig{Config: asked, OnError: errs.on}).On(socket.OS{Calls: refusing(isAccepted, kerneltest.EPERM, platform.Count)})
	_, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0") // the socket does not listen yet
	require.ErrorIs(t, err, kerneltest.EPERM)
	assert.Equal(t, sockopt.OtherCause, sockopt.CauseOf(err))
	assert.Empty(t, errs.errs)
}
