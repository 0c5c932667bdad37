package dialer_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/configtest"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestErrorsSayWhoseTheyAre(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused by the user's hook")
	address := loopback(t).Addr().String()
	for rule, row := range map[string]struct {
		refused []platform.Option
		dialer  *dialer.Dialer
		is      error
		isNot   []error
		text    []string
		textNot string
	}{
		"the user's hook": {
			dialer:  &dialer.Dialer{Base: net.Dialer{Control: func(string, string, syscall.RawConn) error { return refused }}, Config: asked},
			is:      refused,
			isNot:   []error{kerneltest.EINVAL},
			text:    []string{"dial tcp", refused.Error()},
			textNot: "setsockopt",
		},
		"the user's context hook": {
			dialer: &dialer.Dialer{Base: net.Dialer{ControlContext: func(context.Context, string, string, syscall.RawConn) error { return refused }}, Config: asked},
			is:     refused,
			text:   []string{refused.Error()},
		},
		"an option": {
			refused: []platform.Option{platform.Interval},
			dialer:  (&dialer.Dialer{Config: asked}).On(socket.OS{Calls: refusing(platform.Interval)}),
			is:      kerneltest.EPERM,
			isNot:   []error{refused, errors.ErrUnsupported},
			text:    []string{"dial tcp", "setsockopt " + configtest.Calling(platform.Interval, 22)},
		},
		"all options are named": {
			refused: []platform.Option{platform.Interval, platform.Count, platform.Idle},
			dialer:  (&dialer.Dialer{Config: asked}).On(socket.OS{Calls: refusing(platform.Interval, platform.Count, platform.Idle)}),
			is:      kerneltest.EPERM,
			text:    []string{configtest.Calling(platform.Interval, 22), configtest.Calling(platform.Count, 3), configtest.Calling(platform.Idle, 111)},
		},
		"the user timeout": {
			refused: []platform.Option{platform.UserTimeout},
			dialer:  (&dialer.Dialer{Config: asked}).On(socket.OS{Calls: refusing(platform.UserTimeout)}),
			is:      kerneltest.EPERM,
			text:    []string{"dial tcp", "setsockopt " + configtest.Calling(platform.UserTimeout, askedValues.UserTimeout)},
		},
		"the user timeout, without read-back": {
			refused: []platform.Option{platform.UserTimeout},
			dialer:  (&dialer.Dialer{Config: asked, WithoutReadBack: true}).On(socket.OS{Calls: refusing(platform.UserTimeout)}),
			is:      kerneltest.EPERM,
			text:    []string{"setsockopt " + configtest.Calling(platform.UserTimeout, askedValues.UserTimeout)},
		},
		"the user timeout, before connect": {
			refused: []platform.Option{platform.UserTimeout},
			dialer:  (&dialer.Dialer{Config: asked, UserTimeoutBeforeConnect: true}).On(socket.OS{Calls: refusing(platform.UserTimeout)}),
			is:      kerneltest.EPERM,
			text:    []string{"setsockopt " + configtest.Calling(platform.UserTimeout, askedValues.UserTimeout)},
		},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			testkit.NeedReadable(t, row.refused...)
			c, err := row.dialer.Dial("tcp", address)
			require.Error(t, err)
			assert.Nil(t, c)
			var op *net.OpError
			require.ErrorAs(t, err, &op)
			assert.Equal(t, "dial", op.Op)
			assert.Equal(t, sockopt.DialFailed, sockopt.CauseOf(err))
			require.ErrorIs(t, err, row.is)
			for _, other := range row.isNot {
				assert.NotErrorIs(t, err, other)
			}
			for _, text := range row.text {
				assert.ErrorContains(t, err, text)
			}
			if row.textNot != "" {
				assert.NotContains(t, err.Error(), row.textNot)
			}
		})
	}
}

// Where the limits of this system are known, what is beyond them is refused.
func TestBeyondTheLimits(t *testing.T) {
	t.Parallel()
	table := platform.Current()
	for _, spec := range table.Specs {
		if spec.Max == platform.UnknownLimit || spec.Option == platform.KeepAlive {
			continue
		}
		t.Run(spec.Symbol, func(t *testing.T) {
			t.Parallel()
			cfg := configtest.Available(sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 1})
			switch beyond := time.Duration(spec.Max+1) * spec.Unit; spec.Option {
			case platform.Idle:
				cfg.Idle = beyond
			case platform.Interval:
				cfg.Interval = beyond
			case platform.UserTimeout:
				cfg.UserTimeout = beyond
			case platform.Count:
				if int64(int(spec.Max+1)) != spec.Max+1 {
					t.Skip("no int of this processor is beyond the limit")
				}
				cfg.Count = int(spec.Max + 1)
			}
			isRefused(t, cfg, fmt.Sprintf("%s on %s takes", spec.Symbol, table.Name))
		})
	}
}

// isRefused wants the error of New, Check and Dial to have the text, and no socket to
// be made.
func isRefused(t *testing.T, cfg sockopt.Config, text string) {
	t.Helper()
	hooked := atomic.Bool{}
	d := dialer.Dialer{Config: cfg, Base: net.Dialer{Control: func(string, string, syscall.RawConn) error {
		hooked.Store(true)
		return nil
	}}}
	made, newErr := dialer.New(cfg)
	assert.Nil(t, made)
	c, dialErr := d.Dial("tcp", "127.0.0.1:9")
	assert.Nil(t, c)
	for _, err := range []error{newErr, d.Check(), dialErr} {
		require.ErrorContains(t, err, text)
		var faults platform.Faults
		require.ErrorAs(t, err, &faults)
	}
	assert.False(t, hooked.Load(), "no socket was made")
	var op *net.OpError
	require.ErrorAs(t, dialErr, &op)
	assert.Equal(t, "tcp", op.Net)
}

func TestOtherNetworksNeedNoValidConfig(t *testing.T) {
	t.Parallel()
	testkit.NeedUDP(t)
	d := dialer.Dialer{Config: sockopt.Config{Count: -1}}
	c, err := d.Dial("udp", "127.0.0.1:9")
	require.NoError(t, err)
	testkit.Closing(t, c)
}

func TestCanceledContext(t *testing.T) {
	t.Parallel()
	d := dialer.Dialer{Config: asked}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := d.DialContext(canceled, "tcp", loopback(t).Addr().String())
	require.ErrorContains(t, err, "operation was canceled")
}
