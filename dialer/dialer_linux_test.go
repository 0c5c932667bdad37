package dialer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestInvalidConfig(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		config sockopt.Config
		text   string
	}{
		"idle above the maximum":       {sockopt.Config{Idle: 40000 * time.Second}, "TCP_KEEPIDLE on linux takes 1s to 32767s"},
		"interval above the maximum":   {sockopt.Config{Interval: 32768 * time.Second}, "TCP_KEEPINTVL"},
		"count above the maximum":      {sockopt.Config{Count: 128}, "TCP_KEEPCNT on linux takes 1 to 127"},
		"user timeout above a C int":   {sockopt.Config{UserTimeout: (1 << 31) * time.Millisecond}, "TCP_USER_TIMEOUT"},
		"idle negative":                {sockopt.Config{Idle: -time.Second}, "idle=-1s is negative"},
		"user timeout other than -1":   {sockopt.Config{UserTimeout: -2}, "user-timeout=-2ns is negative"},
		"invalid also while Disabled":  {sockopt.Config{Disabled: true, Count: 1000}, "count=1000"},
		"every field that is too much": {sockopt.Config{Idle: -1, Interval: -1, Count: -1, UserTimeout: -2}, "idle"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			isRefused(t, row.config, row.text)
			d := dialer.Dialer{Config: row.config}
			l := serve(t, "unix", testkit.UnixPath(t), false)
			c, err := d.Dial("unix", l.Addr().String())
			require.NoError(t, err, "a unix socket needs no keepalive")
			testkit.Closing(t, c)
		})
	}
}
