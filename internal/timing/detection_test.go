package timing_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
)

// held is what a socket with keepalive on answers that knows every option.
func held(idle, interval time.Duration, count int, userTimeout time.Duration) platform.Settings {
	return platform.Settings{
		Known: kernel.SetOf(kernel.Options()...), Enabled: true,
		Idle: idle, Interval: interval, Count: count, UserTimeout: userTimeout,
	}
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// The times were measured on Linux 6.18 with a peer that vanished; each came out
// at the wanted value or up to an eighth later. Source: tcp_keepalive_timer in
// net/ipv4/tcp_timer.c. xnu and FreeBSD limit probes by the count alone
// (tcp_timer.c: TCPT_KEEP, tcp_timer_keep).
func TestDetectionTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule, system string
		held         platform.Settings
		want         time.Duration
	}{
		{"idle + count*interval", "linux", held(seconds(2), seconds(1), 3, 0), seconds(5)},
		{"Go's defaults", "linux", held(seconds(15), seconds(15), 9, 0), seconds(150)},
		{"the kernel's defaults", "linux", held(seconds(7200), seconds(75), 9, 0), seconds(7875)},
		{"10/5/3", "linux", held(seconds(10), seconds(5), 3, 0), seconds(25)},
		{"the largest values", "linux", held(seconds(32767), seconds(32767), 127, 0), seconds(32767 * 128)},
		{"a user timeout equal to idle + count*interval changes nothing", "linux", held(seconds(2), seconds(1), 3, seconds(5)), seconds(5)},
		{"a user timeout below idle still wants one probe", "linux", held(seconds(2), seconds(1), 3, seconds(1)), seconds(3)},
		{"a user timeout equal to idle still wants one probe", "linux", held(seconds(2), seconds(1), 3, seconds(2)), seconds(3)},
		{"a user timeout is looked at when a probe is due", "linux", held(seconds(2), seconds(1), 9, seconds(2.5)), seconds(3)},
		{"and not one probe later", "linux", held(seconds(2), seconds(1), 9, seconds(3)), seconds(3)},
		{"one millisecond more is one probe more", "linux", held(seconds(2), seconds(1), 9, seconds(3.001)), seconds(4)},
		{"a longer user timeout replaces the count", "linux", held(seconds(2), seconds(1), 3, seconds(10)), seconds(10)},
		{"and replaces it by more", "linux", held(seconds(2), seconds(1), 3, seconds(20)), seconds(20)},
		{"a shorter user timeout replaces the count", "linux", held(seconds(10), seconds(5), 3, seconds(12)), seconds(15)},
		{"10/5/3 with a user timeout of a minute", "linux", held(seconds(10), seconds(5), 3, seconds(60)), seconds(60)},
		{"Go's listener with gRPC's user timeout of 20 s", "linux", held(seconds(15), seconds(15), 9, seconds(20)), seconds(30)},
		{"the interval may be the longer one", "linux", held(seconds(2), seconds(15), 9, seconds(20)), seconds(32)},
		{"macOS keeps the count beside a user timeout", "darwin", held(seconds(10), seconds(5), 3, seconds(60)), seconds(25)},
		{"FreeBSD too", "freebsd", held(seconds(10), seconds(5), 3, seconds(12)), seconds(25)},
		{"illumos too", "illumos", held(seconds(10), seconds(5), 3, seconds(12)), seconds(25)},
		{"too long for a duration: the product", "linux", held(1, math.MaxInt64/2, 3, 0), math.MaxInt64},
		{"too long for a duration: the sum", "linux", held(math.MaxInt64, 1, 1, 0), math.MaxInt64},
		{"too long for a duration: the user timeout", "linux", held(1, math.MaxInt64/2, 1, math.MaxInt64), math.MaxInt64},
		{"just fits into a duration", "linux", held(math.MaxInt64-3, 1, 3, 0), math.MaxInt64},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, err := timing.DetectionTime(table(t, tt.system), tt.held)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestDetectionTimeNeedsOnlyWhatItUses(t *testing.T) {
	t.Parallel()
	mptcp := held(seconds(2), seconds(1), 3, 0)
	mptcp.Known = kernel.SetOf(platform.KeepAlive, platform.Idle, platform.Interval, platform.Count)
	got, err := timing.DetectionTime(table(t, "linux"), mptcp)
	require.NoError(t, err, "a Multipath TCP socket has no user timeout")
	assert.Equal(t, seconds(5), got)

	uncounted := held(seconds(2), seconds(1), 0, seconds(10))
	uncounted.Known = kernel.SetOf(platform.KeepAlive, platform.Idle, platform.Interval, platform.UserTimeout)
	got, err = timing.DetectionTime(table(t, "linux"), uncounted)
	require.NoError(t, err, "the user timeout replaces the count")
	assert.Equal(t, seconds(10), got)
}

func TestDetectionTimeError(t *testing.T) {
	t.Parallel()
	without := func(o platform.Option) platform.Settings {
		s := held(seconds(2), seconds(1), 3, 0)
		s.Known &^= kernel.SetOf(o)
		return s
	}
	off := held(seconds(2), seconds(1), 3, 0)
	off.Enabled = false
	for _, tt := range []struct {
		rule, system string
		held         platform.Settings
		is           error
		text         string
	}{
		{"keepalive off", "linux", off, timing.ErrNeverDetected,
			"keepalive is off: a dead peer of an idle connection is never noticed"},
		{"FreeBSD may probe although keepalive is off", "freebsd", off, timing.ErrUnknown,
			"detection time: keepalive is off, but FreeBSD may still send probes (sysctl net.inet.tcp.always_keepalive): unknown"},
		{"DragonFly BSD may too", "dragonfly", off, timing.ErrUnknown,
			"detection time: keepalive is off, but DragonFly BSD may still send probes (sysctl net.inet.tcp.always_keepalive): unknown"},
		{"nothing known", "linux", platform.Settings{}, timing.ErrUnknown,
			"detection time: whether keepalive is on is unknown"},
		{"idle not known", "windows", without(platform.Idle), timing.ErrUnknown,
			"detection time: idle is not set and the default of Windows 10 version 1709 and later is unknown"},
		{"interval not known", "illumos", without(platform.Interval), timing.ErrUnknown,
			"detection time: interval is not set and the default of illumos is unknown"},
		{"count not known", "openbsd", without(platform.Count), timing.ErrUnknown,
			"detection time: count is not set and the default of OpenBSD is unknown"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, err := timing.DetectionTime(table(t, tt.system), tt.held)
			assert.Zero(t, got)
			assert.ErrorIs(t, err, tt.is)
			assert.EqualError(t, err, tt.text)
		})
	}
}

// What is asked for is rounded as the kernel counts it before it is added up.
func TestDetectionTimeIsThatOfTheRoundedValues(t *testing.T) {
	t.Parallel()
	linux := table(t, "linux")
	cfg := kernel.Request{Idle: 1500 * time.Millisecond, Interval: time.Millisecond, Count: 3}
	got, err := timing.DetectionTime(linux, linux.Effect(cfg, platform.Settings{}))
	require.NoError(t, err)
	assert.Equal(t, seconds(5), got)
}

func table(t *testing.T, name string) *kernel.Rules {
	t.Helper()
	tbl, ok := platform.Lookup(name)
	require.True(t, ok, "no table %q", name)
	return kernel.RulesOf(tbl)
}
