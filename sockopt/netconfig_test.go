package sockopt_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Source: the documentation of net.KeepAliveConfig and net/tcpsockopt_*.go.
func TestFromNet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule string
		from net.KeepAliveConfig
		want sockopt.Config
	}{
		{"Go's zero means 15 s, 15 s, 9", net.KeepAliveConfig{Enable: true},
			sockopt.Config{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}},
		{"Go's negative means leave alone", net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -time.Hour, Count: -7},
			sockopt.Config{}},
		{"positive values stay", net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: time.Nanosecond, Count: 3},
			sockopt.Config{Idle: time.Minute, Interval: time.Nanosecond, Count: 3}},
		{"not enabled is disabled", net.KeepAliveConfig{Idle: -1, Interval: -1, Count: -1},
			sockopt.Config{Disabled: true}},
		{"not enabled resets to Go's defaults, as TCPConn.SetKeepAliveConfig does", net.KeepAliveConfig{},
			sockopt.Config{Disabled: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, sockopt.FromNet(tt.from))
		})
	}
}

func TestToNet(t *testing.T) {
	t.Parallel()
	const (
		noUserTimeoutThere = "net.KeepAliveConfig has no user timeout: unsupported operation"
		disabledIgnored    = "net.Dialer and net.ListenConfig ignore a disabled net.KeepAliveConfig: unsupported operation"
	)
	for _, tt := range []struct {
		rule string
		from sockopt.Config
		want net.KeepAliveConfig
		err  string
	}{
		{rule: "unset becomes -1, never Go's 15 s", want: net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}},
		{rule: "values stay", from: sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3},
			want: net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 3}},
		{rule: "a user timeout does not carry over, the rest does", from: everyField, err: noUserTimeoutThere,
			want: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}},
		{rule: "switching a user timeout off does not carry over", from: sockopt.Config{UserTimeout: noUserTimeout}, err: noUserTimeoutThere,
			want: net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}},
		{rule: "disabled is ignored by net", from: sockopt.Config{Disabled: true, Count: 3}, err: disabledIgnored,
			want: net.KeepAliveConfig{Idle: -1, Interval: -1, Count: 3}},
		{rule: "all that does not carry over is named", from: sockopt.Config{Disabled: true, UserTimeout: time.Second},
			err:  noUserTimeoutThere + "\n" + disabledIgnored,
			want: net.KeepAliveConfig{Idle: -1, Interval: -1, Count: -1}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, err := tt.from.ToNet()
			assert.Equal(t, tt.want, got)
			if tt.err == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, "sockopt: "+tt.err)
			assert.ErrorIs(t, err, errors.ErrUnsupported)
		})
	}
}

func TestNetRoundTrip(t *testing.T) {
	t.Parallel()
	for _, idle := range []time.Duration{0, time.Nanosecond, time.Minute} {
		for _, interval := range []time.Duration{0, time.Second} {
			for _, count := range []int{0, 1, 127} {
				cfg := sockopt.Config{Idle: idle, Interval: interval, Count: count}
				there, err := cfg.ToNet()
				assert.NoError(t, err)
				assert.Equal(t, cfg, sockopt.FromNet(there))
			}
		}
	}
}
