package sockopt_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

const noUserTimeout = sockopt.NoUserTimeout

func table(t testing.TB, name string) *platform.Table {
	t.Helper()
	found, ok := platform.Lookup(name)
	require.True(t, ok, "no table %q", name)
	return found
}

// Limits: Linux include/net/tcp.h (MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL,
// MAX_TCP_KEEPCNT); illumos tcp_rto_max; xnu and FreeBSD keep milliseconds in 32
// bits; Microsoft's "IPPROTO_TCP socket options" for TCP_KEEPCNT.
func TestValidateFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule, system string
		cfg          sockopt.Config
		want         string // "" is valid
		unsupported  bool
	}{
		{rule: "the zero Config is valid", system: "linux"},
		{rule: "the smallest values", system: "linux",
			cfg: sockopt.Config{Idle: 1, Interval: 1, Count: 1, UserTimeout: 1}},
		{rule: "the largest values", system: "linux",
			cfg: sockopt.Config{Idle: 32767 * time.Second, Interval: 32767 * time.Second, Count: 127, UserTimeout: 2147483647 * time.Millisecond}},
		{rule: "no user timeout", system: "linux", cfg: sockopt.Config{UserTimeout: noUserTimeout}},
		{rule: "a disabled Config is checked too", system: "linux", cfg: sockopt.Config{Disabled: true, Count: 128},
			want: "count=128 is too large: TCP_KEEPCNT on linux takes 1 to 127"},
		{rule: "idle above the maximum", system: "linux", cfg: sockopt.Config{Idle: 40000 * time.Second},
			want: "idle=40000s is too large: TCP_KEEPIDLE on linux takes 1s to 32767s"},
		{rule: "rounding up counts against the maximum", system: "linux", cfg: sockopt.Config{Idle: 32767*time.Second + 1},
			want: "idle=32767.000000001s is too large: TCP_KEEPIDLE on linux takes 1s to 32767s"},
		{rule: "the longest duration does not overflow", system: "linux", cfg: sockopt.Config{Interval: math.MaxInt64},
			want: "interval=9223372036.854775807s is too large: TCP_KEEPINTVL on linux takes 1s to 32767s"},
		{rule: "user timeout above the maximum", system: "linux", cfg: sockopt.Config{UserTimeout: 1 << 31 * time.Millisecond},
			want: "user-timeout=2147483.648s is too large: TCP_USER_TIMEOUT on linux takes 1ms to 2147483.647s"},
		{rule: "a negative duration", system: "linux", cfg: sockopt.Config{Idle: -time.Second},
			want: "idle=-1s is negative: 0 leaves it alone"},
		{rule: "a negative count", system: "linux", cfg: sockopt.Config{Count: -1},
			want: "count=-1 is negative: 0 leaves it alone"},
		{rule: "a negative user timeout that is not NoUserTimeout", system: "linux", cfg: sockopt.Config{UserTimeout: -2},
			want: `user-timeout=-2ns is negative: 0 leaves it alone, NoUserTimeout (-1ns, "off" in text) switches it off`},
		{rule: "all faults at once", system: "linux",
			cfg: sockopt.Config{Idle: -1, Interval: 10 * time.Hour, Count: 128, UserTimeout: -5},
			want: "idle=-1ns is negative: 0 leaves it alone; " +
				"interval=36000s is too large: TCP_KEEPINTVL on linux takes 1s to 32767s; " +
				"count=128 is too large: TCP_KEEPCNT on linux takes 1 to 127; " +
				`user-timeout=-5ns is negative: 0 leaves it alone, NoUserTimeout (-1ns, "off" in text) switches it off`},
		{rule: "OpenBSD can be switched on", system: "openbsd"},
		{rule: "OpenBSD has no timing", system: "openbsd", cfg: sockopt.Config{Idle: time.Minute, Count: 3}, unsupported: true,
			want: "idle=60s is not supported on openbsd: OpenBSD has it for the whole system only: sysctl net.inet.tcp.keepidle; " +
				"count=3 is not supported on openbsd: OpenBSD always sends 8 probes"},
		{rule: "no user timeout is what OpenBSD has anyway", system: "openbsd", cfg: sockopt.Config{UserTimeout: noUserTimeout}},
		{rule: "NetBSD has no user timeout", system: "netbsd", cfg: sockopt.Config{UserTimeout: time.Minute}, unsupported: true,
			want: "user-timeout=60s is not supported on netbsd: NetBSD has no limit on unacknowledged data per socket"},
		{rule: "illumos bounds the interval", system: "illumos", cfg: sockopt.Config{Interval: 2 * time.Minute, Count: 3},
			want: "interval=120s is too large: TCP_KEEPINTVL on illumos takes 1s to 60s"},
		{rule: "illumos takes interval and count together", system: "illumos", cfg: sockopt.Config{Count: 3}, unsupported: true,
			want: "count=3 without interval is not possible on illumos: the kernel computes the missing one from its abort threshold; set both"},
		{rule: "Windows counts to 255", system: "windows", cfg: sockopt.Config{Count: 256},
			want: "count=256 is too large: TCP_KEEPCNT on windows takes at most 255"},
		{rule: "Windows does not say what switches TCP_MAXRT off", system: "windows", cfg: sockopt.Config{UserTimeout: noUserTimeout}, unsupported: true,
			want: "user-timeout=off is not supported on windows: what switches TCP_MAXRT off is not known"},
		{rule: "old Windows takes idle and interval together and no count", system: "windows-before-1709",
			cfg: sockopt.Config{Idle: time.Minute, Count: 3}, unsupported: true,
			want: "count=3 is not supported on windows-before-1709: Windows before 10 version 1709 fixes it, usually at 10 probes; " +
				"idle=60s without interval is not possible on windows-before-1709: SIO_KEEPALIVE_VALS sets both at once, and the value in force cannot be read; set both"},
		{rule: "an unknown limit is a C int", system: "darwin", cfg: sockopt.Config{UserTimeout: 1 << 31 * time.Second},
			want: "user-timeout=2147483648s is too large: TCP_RXT_CONNDROPTIME on darwin takes 1s to 2147483647s (what a C int holds)"},
		{rule: "FreeBSD keeps milliseconds in 32 bits", system: "freebsd", cfg: sockopt.Config{Idle: 4294968 * time.Second},
			want: "idle=4294968s is too large: TCP_KEEPIDLE on freebsd takes 1s to 4294967s"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			err := tt.cfg.ValidateFor(table(t, tt.system))
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			require.EqualError(t, err, "sockopt: "+tt.want)
			assert.Equal(t, tt.unsupported, errors.Is(err, errors.ErrUnsupported))
			var faults platform.Faults
			require.ErrorAs(t, err, &faults)
			for _, f := range faults {
				assert.ErrorIs(t, err, f)
				assert.Equal(t, tt.system, f.Platform)
			}
			var first *platform.Fault
			require.ErrorAs(t, err, &first)
			assert.Same(t, faults[0], first)
		})
	}
}

// Whoever reads a Fault's fields learns what the text says.
func TestFaultFields(t *testing.T) {
	t.Parallel()
	err := sockopt.Config{Idle: 10 * time.Hour}.ValidateFor(table(t, "linux"))
	var f *platform.Fault
	require.ErrorAs(t, err, &f)
	assert.Equal(t, platform.Fault{
		Platform: "linux", Option: platform.Idle, Symbol: "TCP_KEEPIDLE",
		Value: int64(10 * time.Hour), Min: int64(time.Second), Max: int64(32767 * time.Second),
		Problem: "is too large: TCP_KEEPIDLE on linux takes 1s to 32767s",
	}, *f)
}

// platform.Lookup returns a nil table for a mistyped name. Whoever ignores that gets no
// Config without faults or warnings.
func TestNilTable(t *testing.T) {
	t.Parallel()
	missing, ok := platform.Lookup("solarium")
	require.False(t, ok)
	cfg := sockopt.Config{Idle: time.Minute}
	require.EqualError(t, cfg.ValidateFor(missing), "sockopt: the platform.Table is nil")
	nearest, changes, err := cfg.NearestFor(missing)
	require.EqualError(t, err, "sockopt: the platform.Table is nil")
	assert.Zero(t, nearest)
	assert.Nil(t, changes)
	recommended, changes, err := sockopt.RecommendedFor(missing)
	require.EqualError(t, err, "sockopt: the platform.Table is nil")
	assert.Zero(t, recommended)
	assert.Nil(t, changes)
	assert.PanicsWithError(t, "sockopt: the platform.Table is nil", func() { cfg.WarningsFor(missing, platform.Settings{}) },
		"which has no error to return, and no warnings is an answer")
}

func TestNearestFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule, system string
		cfg, want    sockopt.Config
		changes      []string
	}{
		{rule: "what is valid stays", system: "linux", cfg: everyField, want: everyField},
		{rule: "what only needs rounding stays", system: "linux",
			cfg: sockopt.Config{Idle: 1500 * time.Millisecond}, want: sockopt.Config{Idle: 1500 * time.Millisecond}},
		{rule: "out of range moves to the limit", system: "linux",
			cfg:  sockopt.Config{Idle: 10 * time.Hour, Interval: 1 << 62, Count: 200, UserTimeout: 30 * 24 * time.Hour},
			want: sockopt.Config{Idle: 32767 * time.Second, Interval: 32767 * time.Second, Count: 127, UserTimeout: 2147483647 * time.Millisecond},
			changes: []string{
				"idle=36000s -> 32767s: idle=36000s is too large: TCP_KEEPIDLE on linux takes 1s to 32767s",
				"interval=4611686018.427387904s -> 32767s: interval=4611686018.427387904s is too large: TCP_KEEPINTVL on linux takes 1s to 32767s",
				"count=200 -> 127: count=200 is too large: TCP_KEEPCNT on linux takes 1 to 127",
				"user-timeout=2592000s -> 2147483.647s: user-timeout=2592000s is too large: TCP_USER_TIMEOUT on linux takes 1ms to 2147483.647s",
			}},
		{rule: "a negative value is left out", system: "linux",
			cfg: sockopt.Config{Idle: -time.Second, Count: 3}, want: sockopt.Config{Count: 3},
			changes: []string{"idle=-1s -> unset: idle=-1s is negative: 0 leaves it alone"}},
		{rule: "what a platform lacks is left out", system: "netbsd",
			cfg: everyField, want: sockopt.Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3},
			changes: []string{"user-timeout=60s -> unset: user-timeout=60s is not supported on netbsd: NetBSD has no limit on unacknowledged data per socket"}},
		{rule: "off that cannot be said is left out", system: "windows",
			cfg: sockopt.Config{Count: 3, UserTimeout: noUserTimeout}, want: sockopt.Config{Count: 3},
			changes: []string{"user-timeout=off -> unset: user-timeout=off is not supported on windows: what switches TCP_MAXRT off is not known"}},
		{rule: "a missing half is filled in as the kernel would", system: "illumos",
			cfg: sockopt.Config{Interval: 10 * time.Second}, want: sockopt.Config{Interval: 10 * time.Second, Count: 48},
			changes: []string{"count=unset -> 48: interval=10s without count is not possible on illumos: the kernel computes the missing one from its abort threshold; set both"}},
		{rule: "disabled stays disabled", system: "openbsd",
			cfg: sockopt.Config{Disabled: true}, want: sockopt.Config{Disabled: true}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, changes, err := tt.cfg.NearestFor(table(t, tt.system))
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			var texts []string
			for _, c := range changes {
				texts = append(texts, c.String())
			}
			assert.Equal(t, tt.changes, texts)
		})
	}
}

func TestNearestWithoutAnyKeepAlive(t *testing.T) {
	t.Parallel()
	none := &platform.Table{Name: "toaster", Title: "Toaster"}
	_, _, err := sockopt.RecommendedFor(none)
	assert.ErrorIs(t, err, errors.ErrUnsupported)
	assert.EqualError(t, err, "sockopt: Toaster has no TCP keepalive options: unsupported operation")
	assert.ErrorIs(t, sockopt.Config{}.ValidateFor(none), errors.ErrUnsupported)
}

// everyField asks for everything. Recommended() may ask for less, where the tests run.
var everyField = sockopt.Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3, UserTimeout: time.Minute}

func TestRecommended(t *testing.T) {
	timing := sockopt.Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}
	want := map[string]sockopt.Config{
		"netbsd": timing, "dragonfly": timing, "dragonfly-before-5.8": timing, "aix": timing,
		"windows-before-1709": {Idle: 30 * time.Second, Interval: 10 * time.Second, UserTimeout: time.Minute},
		"openbsd":             {},
	}
	for _, system := range platform.Tables() {
		t.Run(system.Name, func(t *testing.T) {
			expected, less := want[system.Name]
			if !less {
				expected = everyField
			}
			cfg, changes, err := sockopt.RecommendedFor(system)
			require.NoError(t, err)
			assert.Equal(t, expected, cfg)
			assert.NoError(t, cfg.ValidateFor(system))
			assert.Equal(t, less, len(changes) > 0, "nothing is left out in silence: %v", changes)

			_, err = socket.OS{Table: kernel.RulesOf(system)}.NewSetter(kernel.Request(cfg)) // what Set, package dialer and package listener begin with
			assert.NoError(t, err)
		})
	}
	if len(platform.Current().Specs) == 0 { // nothing is valid there
		assert.ErrorIs(t, sockopt.Recommended().Validate(), errors.ErrUnsupported)
		return
	}
	assert.NoError(t, sockopt.Recommended().Validate())
}

func TestFromSettings(t *testing.T) {
	t.Parallel()
	all := kernel.SetOf(kernel.Options()...)
	for _, tt := range []struct {
		rule string
		held platform.Settings
		want sockopt.Config
	}{
		{"everything known",
			platform.Settings{Known: all, Enabled: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second},
			sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}},
		{"keepalive off", platform.Settings{Known: all, Count: 3, UserTimeout: time.Second},
			sockopt.Config{Disabled: true, Count: 3, UserTimeout: time.Second}},
		{"user timeout off", platform.Settings{Known: all, Enabled: true}, sockopt.Config{UserTimeout: noUserTimeout}},
		{"nothing known", platform.Settings{Idle: time.Minute, Count: 3}, sockopt.Config{}},
		{"one unknown", platform.Settings{Known: kernel.SetOf(platform.KeepAlive, platform.Count), Enabled: true, Idle: time.Minute, Count: 3},
			sockopt.Config{Count: 3}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, sockopt.FromSettings(tt.held))
		})
	}
}

// What a socket holds after a complete Config asks for the same again.
func TestOfIsTheInverseOfEffect(t *testing.T) {
	t.Parallel()
	for _, cfg := range []sockopt.Config{
		everyField,
		{Disabled: true, Idle: time.Second, Interval: time.Second, Count: 1, UserTimeout: time.Millisecond},
		{Idle: time.Hour, Interval: time.Minute, Count: 127, UserTimeout: noUserTimeout},
	} {
		held := kernel.Linux().Effect(kernel.Request(cfg), platform.Settings{})
		assert.Equal(t, cfg, sockopt.FromSettings(held))
	}
}

func TestConfigIsComparable(t *testing.T) {
	t.Parallel()
	uses := map[sockopt.Config]int{}
	for _, text := range []string{"on", "idle=60", "idle=1m", "idle=60s,count=3"} {
		cfg, err := sockopt.Parse(text)
		require.NoError(t, err)
		uses[cfg]++
	}
	assert.Equal(t, map[sockopt.Config]int{{}: 1, {Idle: time.Minute}: 2, {Idle: time.Minute, Count: 3}: 1}, uses)
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
