package sockopt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestWarningsFor(t *testing.T) {
	t.Parallel()
	// What Linux has by default: net/ipv4/tcp_ipv4.c, tcp_sk_init.
	defaults := platform.Settings{
		Known: kernel.SetOf(kernel.Options()...), Enabled: true,
		Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9,
	}
	const (
		one    = " is not longer than idle + interval "
		ends   = ": one lost probe ends the connection, whatever the count"
		stored = "keepalive: keepalive is off: idle, interval and count are stored and have no effect"
		always = " still sends probes while the sysctl net.inet.tcp.always_keepalive is 1"
	)
	for _, tt := range []struct {
		rule, system, text string
		defaults           platform.Settings
		want               []string
	}{
		{"the zero Config", "linux", "on", defaults, nil},
		{"a user timeout in the last interval keeps the count", "linux", "idle=30s,interval=10s,count=3,user-timeout=51s", defaults, nil},
		{"an interval equal to idle", "linux", "idle=15s,interval=15s,count=9", defaults, nil},
		{"an interval longer than idle", "linux", "idle=2s,interval=15s", defaults,
			[]string{"interval: the interval 15s is longer than the idle time 2s: a quiet connection is probed every 15s, not every 2s"}},
		{"a default counts as a value", "linux", "idle=30s", defaults,
			[]string{"interval: the interval 75s is longer than the idle time 30s: a quiet connection is probed every 75s, not every 30s"}},
		{"an unknown default is not compared with", "linux", "idle=30s", platform.Settings{}, nil},
		{"a user timeout below idle", "linux", "idle=2s,interval=1s,count=3,user-timeout=1s", defaults,
			[]string{"user-timeout: 1s" + one + "(3s)" + ends}},
		{"a user timeout of one probe", "linux", "idle=2s,interval=1s,count=3,user-timeout=3s", defaults,
			[]string{"user-timeout: 3s" + one + "(3s)" + ends}},
		{"a user timeout beside the default idle time", "linux", "user-timeout=30s", defaults,
			[]string{"user-timeout: 30s" + one + "(7275s)" + ends}},
		{"a user timeout of fewer probes than the count", "linux", "idle=10s,interval=5s,count=9,user-timeout=19s", defaults,
			[]string{"user-timeout: 19s replaces the count: the connection ends after 2 unanswered probes, not 9"}},
		{"a user timeout of one probe less than the count", "linux", "idle=10s,interval=5s,count=3,user-timeout=20s", defaults,
			[]string{"user-timeout: 20s replaces the count: the connection ends after 2 unanswered probes, not 3"}},
		{"a user timeout of more probes than the count", "linux", "idle=2s,interval=1s,count=3,user-timeout=9500ms", defaults,
			[]string{"user-timeout: 9.5s is longer than idle + count*interval (5s): it replaces the count, so a dead peer is noticed after 10s and 8 probes"}},
		{"a user timeout of one probe more than the count", "linux", "idle=2s,interval=1s,count=3,user-timeout=5001ms", defaults,
			[]string{"user-timeout: 5.001s is longer than idle + count*interval (5s): it replaces the count, so a dead peer is noticed after 6s and 4 probes"}},
		{"a fraction is rounded up", "linux", "idle=0.5s,interval=100ms", defaults,
			[]string{"idle: 500ms is rounded up to 1s: TCP_KEEPIDLE counts in steps of 1s", "interval: 100ms is rounded up to 1s: TCP_KEEPINTVL counts in steps of 1s"}},
		{"every field that is rounded", "linux", "idle=1.5s,interval=0.5s,user-timeout=2.5ms", platform.Settings{},
			[]string{"idle: 1.5s is rounded up to 2s: TCP_KEEPIDLE counts in steps of 1s", "interval: 500ms is rounded up to 1s: TCP_KEEPINTVL counts in steps of 1s",
				"user-timeout: 2.5ms is rounded up to 3ms: TCP_USER_TIMEOUT counts in steps of 1ms",
				"user-timeout: 3ms is not longer than idle + interval (3s)" + ends}},
		{"half-seconds on NetBSD", "netbsd", "idle=1.5s,interval=1.2s", platform.Settings{},
			[]string{"interval: 1.2s is rounded up to 1.5s: TCP_KEEPINTVL counts in steps of 500ms"}},
		{"a user timeout of seconds on macOS", "darwin", "user-timeout=1500ms", platform.Settings{},
			[]string{"user-timeout: 1.5s is rounded up to 2s: TCP_RXT_CONNDROPTIME counts in steps of 1s"}},
		{"off, rounded as well", "linux", "off,idle=1.5s", defaults,
			[]string{"idle: 1.5s is rounded up to 2s: TCP_KEEPIDLE counts in steps of 1s", stored}},
		{"two things at once", "linux", "idle=2s,interval=15s,count=3,user-timeout=10s", defaults,
			[]string{"interval: the interval 15s is longer than the idle time 2s: a quiet connection is probed every 15s, not every 2s",
				"user-timeout: 10s" + one + "(17s)" + ends}},
		{"no user timeout", "linux", "idle=2s,interval=1s,count=3,user-timeout=off", platform.Settings{Known: defaults.Known, Enabled: true, UserTimeout: time.Second}, nil},
		{"macOS keeps the count beside a user timeout", "darwin", "idle=2s,interval=1s,count=3,user-timeout=1s", platform.Settings{}, nil},
		{"off with timing", "linux", "off,idle=2s,interval=15s", defaults, []string{stored}},
		{"off with a user timeout, which still works", "linux", "off,user-timeout=1s", defaults, nil},
		{"off on FreeBSD", "freebsd", "off", platform.Settings{}, []string{"keepalive: FreeBSD" + always}},
		{"off with timing on DragonFly BSD", "dragonfly", "off,count=3", platform.Settings{},
			[]string{stored, "keepalive: DragonFly BSD" + always}},
		{"errors come first", "linux", "idle=40000s,interval=15s,user-timeout=1s", defaults, nil},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			cfg, err := sockopt.Parse(tt.text)
			require.NoError(t, err)
			var got []string
			for _, w := range cfg.WarningsFor(table(t, tt.system), tt.defaults) {
				got = append(got, w.String())
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestWarningNamesTheField(t *testing.T) {
	t.Parallel()
	cfg := sockopt.Config{Idle: 2 * time.Second, Interval: 15 * time.Second, Count: 3, UserTimeout: time.Second}
	var fields []platform.Option
	for _, w := range cfg.WarningsFor(table(t, "linux"), platform.Settings{}) {
		fields = append(fields, w.Option)
	}
	assert.Equal(t, []platform.Option{platform.Interval, platform.UserTimeout}, fields)
}

func TestNothingToWarnAboutInRecommended(t *testing.T) {
	t.Parallel()
	for _, system := range platform.Tables() {
		nearest, _, err := sockopt.Recommended().NearestFor(system)
		require.NoError(t, err)
		assert.Empty(t, nearest.WarningsFor(system, platform.Settings{}), system.Name)
	}
}

// A user timeout of idle + count*interval is what this package advises, so it
// must be right for every count, also for one probe.
func TestNothingToWarnAboutInAMatchedUserTimeout(t *testing.T) {
	t.Parallel()
	for count := 1; count <= 127; count++ {
		cfg := sockopt.Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: count,
			UserTimeout: 30*time.Second + time.Duration(count)*10*time.Second}
		assert.Empty(t, cfg.WarningsFor(table(t, "linux"), platform.Settings{}), "%v", cfg)
	}
}
