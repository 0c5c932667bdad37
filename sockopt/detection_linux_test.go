package sockopt_test

import (
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// sysctlDefaults reads what an unset option means from /proc.
func sysctlDefaults(t testing.TB) (idle, interval time.Duration, count int) {
	t.Helper()
	read := func(name string) int {
		text, err := os.ReadFile("/proc/sys/net/ipv4/" + name)
		testkit.Need(t, err == nil, "needs /proc/sys/net/ipv4")
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		require.NoError(t, err)
		return n
	}
	return time.Duration(read("tcp_keepalive_time")) * time.Second,
		time.Duration(read("tcp_keepalive_intvl")) * time.Second, read("tcp_keepalive_probes")
}

func TestConfigDetectionTime(t *testing.T) {
	t.Parallel()
	idle, interval, count := sysctlDefaults(t)
	for _, tt := range []struct {
		text string
		want time.Duration
	}{
		{"idle=2s,interval=1s,count=3", seconds(5)},
		{"idle=2s,interval=1s,count=3,user-timeout=off", seconds(5)},
		{"idle=2s,interval=1s,user-timeout=1s", seconds(3)},
		{"idle=30s,interval=10s,count=3,user-timeout=60s", seconds(60)},
		{"idle=1500ms,interval=1ms,count=3", seconds(5)},
		{"on", idle + time.Duration(count)*interval},
		{"idle=10s", seconds(10) + time.Duration(count)*interval},
		{"interval=10s,count=3", idle + seconds(30)},
	} {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			cfg, err := sockopt.Parse(tt.text)
			require.NoError(t, err)
			got, err := cfg.DetectionTime()
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		_, err := sockopt.Config{Disabled: true, Count: 3}.DetectionTime()
		assert.ErrorIs(t, err, sockopt.ErrNeverDetected)
	})
	t.Run("invalid", func(t *testing.T) {
		t.Parallel()
		invalid := sockopt.Config{Count: 128}
		_, err := invalid.DetectionTime()
		assert.Equal(t, invalid.Validate(), err)
		_, err = invalid.MatchUserTimeout()
		assert.Equal(t, invalid.Validate(), err)
	})
}

func TestMatchUserTimeout(t *testing.T) {
	t.Parallel()
	idle, interval, count := sysctlDefaults(t)
	for _, tt := range []struct {
		rule string
		cfg  sockopt.Config
		want time.Duration
	}{
		{"idle + count*interval", sockopt.Config{Idle: seconds(30), Interval: seconds(10), Count: 3}, seconds(60)},
		{"what is there is replaced", sockopt.Config{Idle: seconds(2), Interval: seconds(1), Count: 3, UserTimeout: seconds(20)}, seconds(5)},
		{"off is replaced", sockopt.Config{Idle: seconds(2), Interval: seconds(1), Count: 3, UserTimeout: noUserTimeout}, seconds(5)},
		{"the values are those the kernel will hold", sockopt.Config{Idle: 1500 * time.Millisecond, Interval: 1, Count: 3}, seconds(5)},
		{"unset is the system's default", sockopt.Config{}, idle + time.Duration(count)*interval},
		{"a disabled Config, for data in flight", sockopt.Config{Disabled: true, Idle: seconds(2), Interval: seconds(1), Count: 3}, seconds(5)},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			if tt.want > (1<<31-1)*time.Millisecond {
				t.Skip("with the sysctls of this machine no user timeout is that long")
			}
			got, err := tt.cfg.MatchUserTimeout()
			require.NoError(t, err)
			want := tt.cfg
			want.UserTimeout = tt.want
			assert.Equal(t, want, got)
			if !want.Disabled {
				d, err := got.DetectionTime()
				require.NoError(t, err)
				assert.Equal(t, tt.want, d, "the count keeps its meaning")
			}
		})
	}
	t.Run("too long for a user timeout", func(t *testing.T) {
		t.Parallel()
		_, err := sockopt.Config{Idle: seconds(32767), Interval: seconds(32767), Count: 127}.MatchUserTimeout()
		var fault *platform.Fault
		require.ErrorAs(t, err, &fault)
		assert.Equal(t, platform.UserTimeout, fault.Option)
		assert.Equal(t, int64(seconds(32767*128)), fault.Value)
	})
}

func TestRecommendedIsMatched(t *testing.T) {
	t.Parallel()
	cfg := sockopt.Recommended()
	require.NoError(t, cfg.Validate())
	matched, err := cfg.MatchUserTimeout()
	require.NoError(t, err)
	assert.Equal(t, cfg, matched)
	assert.Empty(t, cfg.Warnings())
	nearest, changes, err := cfg.Nearest()
	require.NoError(t, err)
	assert.Empty(t, changes)
	assert.Equal(t, cfg, nearest)
}

func TestWarningsKnowTheSystemsDefaults(t *testing.T) {
	t.Parallel()
	_, interval, _ := sysctlDefaults(t)
	if interval < 2*time.Second || interval > 32767*time.Second {
		t.Skipf("no idle time is shorter than %v, and possible", interval)
	}
	warnings := sockopt.Config{Idle: interval - time.Second}.Warnings()
	require.Len(t, warnings, 1)
	assert.Equal(t, platform.Interval, warnings[0].Option)
	assert.Empty(t, sockopt.Config{Idle: interval}.Warnings())
}

// The formula against the running kernel, with a peer that is gone. A kernel
// timer is never early and up to 1/8 late (kernel/time/timer.c).
func TestDeadPeer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule string
		cfg  sockopt.Config
		want time.Duration
	}{
		{"idle + count*interval", sockopt.Config{Idle: seconds(1), Interval: seconds(1), Count: 2}, seconds(3)},
		{"a user timeout replaces the count", sockopt.Config{Idle: seconds(1), Interval: seconds(1), Count: 2, UserTimeout: seconds(4)}, seconds(4)},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			testkit.Long(t)
			predicted, err := tt.cfg.DetectionTime()
			require.NoError(t, err)
			require.Equal(t, tt.want, predicted)

			before := time.Now() // the last segment received is one of the handshake
			client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
			testkit.DropReceived(t, server)
			require.NoError(t, sockopt.Set(client, tt.cfg))
			after := time.Now()
			require.NoError(t, client.SetReadDeadline(after.Add(3*tt.want)))
			_, err = client.Read(make([]byte, 1))
			died := time.Now()

			require.ErrorIs(t, err, syscall.ETIMEDOUT)
			assert.Equal(t, sockopt.PeerTimeout, sockopt.CauseOf(err))
			assert.GreaterOrEqual(t, died.Sub(before), tt.want)
			assert.LessOrEqual(t, died.Sub(after), tt.want*9/8+500*time.Millisecond)
		})
	}
	t.Run("a deadline is no dead peer", func(t *testing.T) {
		t.Parallel()
		client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
		require.NoError(t, client.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
		_, err := client.Read(make([]byte, 1))
		var timeout net.Error
		require.True(t, errors.As(err, &timeout) && timeout.Timeout(), "both look alike: %v", err)
		assert.Equal(t, sockopt.Deadline, sockopt.CauseOf(err))

		require.NoError(t, client.SetReadDeadline(time.Time{}))
		_, err = server.Write([]byte("x"))
		require.NoError(t, err)
		_, err = client.Read(make([]byte, 1))
		assert.NoError(t, err, "the connection is usable")
	})
}
