package sockopt_test

import (
	"errors"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A combination is one of unset, smallest, largest and too large for each field,
// and what the kernel must hold in its own units afterwards. Limits:
// include/net/tcp.h, MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL and MAX_TCP_KEEPCNT;
// net/ipv4/tcp.c, TCP_USER_TIMEOUT.
type combination struct {
	cfg    sockopt.Config
	want   testkit.Values     // if the Config is valid
	faults platform.OptionSet // the fields that are too large
}

func combinations() []combination {
	const levels = 4
	durations := [levels]time.Duration{0, time.Nanosecond, 32767 * time.Second, 32767*time.Second + 1}
	counts := [levels]int{0, 1, 127, 128}
	timeouts := [levels]time.Duration{0, time.Nanosecond, 2147483647 * time.Millisecond, 2147483647*time.Millisecond + 1}
	var all []combination
	for n := range levels * levels * levels * levels {
		idle, interval, count, timeout := n%levels, n/4%levels, n/16%levels, n/64
		c := combination{
			cfg:  sockopt.Config{Idle: durations[idle], Interval: durations[interval], Count: counts[count], UserTimeout: timeouts[timeout]},
			want: untouched,
		}
		c.want.KeepAlive = 1
		c.field(&c.want.Idle, idle, 1, 32767, platform.Idle)
		c.field(&c.want.Interval, interval, 1, 32767, platform.Interval)
		c.field(&c.want.Count, count, 1, 127, platform.Count)
		c.field(&c.want.UserTimeout, timeout, 1, 2147483647, platform.UserTimeout)
		all = append(all, c)
	}
	return all
}

func (c *combination) field(want *int, level, smallest, largest int, o platform.Option) {
	switch level {
	case 1:
		*want = smallest
	case 2:
		*want = largest
	case 3:
		c.faults |= kernel.SetOf(o)
	}
}

func faultyOptions(t testing.TB, err error) (options platform.OptionSet) {
	t.Helper()
	var faults platform.Faults
	require.ErrorAs(t, err, &faults)
	for _, f := range faults {
		assert.Contains(t, f.Problem, "is too large")
		options |= kernel.SetOf(f.Option)
	}
	return options
}

func TestSetEveryCombination(t *testing.T) {
	t.Parallel()
	for _, family := range families {
		t.Run(family.name, func(t *testing.T) {
			t.Parallel()
			client, server := family.pair(t)
			rc, err := socket.RawConn(server)
			require.NoError(t, err)
			for i, c := range combinations() {
				conn, set := client, func() error { return sockopt.Set(client, c.cfg) }
				if i%2 == 1 {
					conn, set = server, func() error { return sockopt.Set(rc, c.cfg) }
				}
				preset(t, conn, untouched)
				err := set()
				if c.faults != 0 {
					require.Equal(t, c.faults, faultyOptions(t, err), "%v: %v", c.cfg, err)
					require.Equal(t, untouched, testkit.Read(t, conn), "%v: an invalid Config changes nothing", c.cfg)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, c.want, testkit.Read(t, conn), "%v", c.cfg)
				got, err := sockopt.Get(conn)
				require.NoError(t, err)
				require.Equal(t, settings(c.want), got, "%v", c.cfg)
			}
		})
	}
}

// settings converts what testkit read to what Get must answer.
func settings(v testkit.Values) platform.Settings {
	s := platform.Settings{
		Known:    kernel.SetOf(platform.KeepAlive, platform.Idle, platform.Interval, platform.Count),
		Enabled:  v.KeepAlive != 0,
		Idle:     time.Duration(v.Idle) * time.Second,
		Interval: time.Duration(v.Interval) * time.Second,
		Count:    v.Count,
	}
	if v.UserTimeout >= 0 {
		s.Known |= kernel.SetOf(platform.UserTimeout)
		s.UserTimeout = time.Duration(v.UserTimeout) * time.Millisecond
	}
	return s
}

// Multipath TCP has no TCP_USER_TIMEOUT (net/mptcp/sockopt.c): one that is to be on is
// an error, and all the rest is set.
func TestSetEveryCombinationOnMultipathTCP(t *testing.T) {
	t.Parallel()
	client, server := multipathPair(t)
	before := untouched
	before.UserTimeout = -1
	for i, c := range combinations() {
		conn := client
		if i%2 == 1 {
			conn = server
		}
		preset(t, conn, before)
		err := sockopt.Set(conn, c.cfg)
		if c.faults != 0 {
			require.Equal(t, c.faults, faultyOptions(t, err))
			require.Equal(t, before, testkit.Read(t, conn))
			continue
		}
		if c.cfg.UserTimeout <= 0 { // it is off, whether that is asked or not
			require.NoError(t, err, "%v", c.cfg)
		} else {
			var option *platform.OptionError
			require.ErrorAs(t, err, &option)
			require.Equal(t, platform.UserTimeout, option.Option)
			require.Equal(t, "setsockopt", option.Call)
			require.Equal(t, "TCP_USER_TIMEOUT", option.Symbol)
			require.ErrorIs(t, err, errors.ErrUnsupported)
			require.ErrorIs(t, err, syscall.ENOPROTOOPT)
		}
		want := c.want
		want.UserTimeout = -1
		require.Equal(t, want, testkit.Read(t, conn), "%v", c.cfg)
		got, err := sockopt.Get(conn)
		require.NoError(t, err)
		want.UserTimeout = 0 // known: there is none
		require.Equal(t, settings(want), got)
	}
	kind, err := socket.KindOf(client)
	require.NoError(t, err)
	assert.Equal(t, kernel.MultipathTCP, kind)
}

func TestSet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule   string
		before testkit.Values
		cfg    sockopt.Config
		want   testkit.Values
	}{
		{"the zero Config switches on and leaves the rest", testkit.Values{KeepAlive: 0, Idle: 11, Interval: 12, Count: 13, UserTimeout: 14},
			sockopt.Config{}, testkit.Values{KeepAlive: 1, Idle: 11, Interval: 12, Count: 13, UserTimeout: 14}},
		{"Disabled switches off and leaves the rest", testkit.Values{KeepAlive: 1, Idle: 11, Interval: 12, Count: 13, UserTimeout: 14},
			sockopt.Config{Disabled: true}, testkit.Values{KeepAlive: 0, Idle: 11, Interval: 12, Count: 13, UserTimeout: 14}},
		{"Disabled stores the values", testkit.Values{KeepAlive: 1, Idle: 11, Interval: 12, Count: 13, UserTimeout: 14},
			sockopt.Config{Disabled: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second},
			testkit.Values{KeepAlive: 0, Idle: 60, Interval: 10, Count: 3, UserTimeout: 90000}},
		{"NoUserTimeout switches the user timeout off", testkit.Values{KeepAlive: 1, Idle: 11, Interval: 12, Count: 13, UserTimeout: 14},
			sockopt.Config{UserTimeout: noUserTimeout}, testkit.Values{KeepAlive: 1, Idle: 11, Interval: 12, Count: 13, UserTimeout: 0}},
		{"what is there already can be set again", testkit.Values{KeepAlive: 1, Idle: 60, Interval: 10, Count: 3, UserTimeout: 90000},
			sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second},
			testkit.Values{KeepAlive: 1, Idle: 60, Interval: 10, Count: 3, UserTimeout: 90000}},
		{"seconds are rounded up", untouched, sockopt.Config{Idle: 1001 * time.Millisecond, Interval: 2*time.Second + 1},
			testkit.Values{KeepAlive: 1, Idle: 2, Interval: 3, Count: untouched.Count, UserTimeout: untouched.UserTimeout}},
		{"milliseconds are rounded up", untouched, sockopt.Config{UserTimeout: 1500*time.Millisecond + 1},
			testkit.Values{KeepAlive: 1, Idle: untouched.Idle, Interval: untouched.Interval, Count: untouched.Count, UserTimeout: 1501}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
			preset(t, conn, tt.before)
			require.NoError(t, sockopt.Set(conn, tt.cfg))
			assert.Equal(t, tt.want, testkit.Read(t, conn))
			got, err := sockopt.Get(conn)
			require.NoError(t, err)
			assert.Equal(t, settings(tt.want), got)
		})
	}
}

// A Config made of what one socket holds makes another socket the same.
func TestOfCopiesASocket(t *testing.T) {
	t.Parallel()
	from, to := testkit.Pair(t, "tcp", "127.0.0.1:0")
	for _, v := range []testkit.Values{untouched, {KeepAlive: 1, Idle: 60, Interval: 10, Count: 3, UserTimeout: 0}} {
		preset(t, from, v)
		held, err := sockopt.Get(from)
		require.NoError(t, err)
		require.NoError(t, sockopt.Set(to, sockopt.FromSettings(held)))
		assert.Equal(t, v, testkit.Read(t, to))
	}
}

// What was read can be put back, and is then as it was: no user timeout is off.
func TestMultipathTCPTakesWhatItHeld(t *testing.T) {
	t.Parallel()
	client, _ := multipathPair(t)
	// The defaults of a machine may be beyond what a socket takes.
	require.NoError(t, sockopt.Set(client, sockopt.Config{Disabled: true, Idle: 50 * time.Second, Interval: 5 * time.Second, Count: 7}))
	before, err := sockopt.Get(client)
	require.NoError(t, err)
	require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: time.Minute, Count: 3}))
	require.NoError(t, sockopt.Set(client, sockopt.FromSettings(before)))
	require.NoError(t, sockopt.Verify(client, sockopt.FromSettings(before)))
	after, err := sockopt.Get(client)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	assert.ErrorIs(t, sockopt.Set(client, sockopt.Config{UserTimeout: time.Second}), errors.ErrUnsupported)
}

// An accepted connection has what its listening socket was given.
func TestSetOnAListener(t *testing.T) {
	t.Parallel()
	l := plainListener(t)
	require.NoError(t, sockopt.Set(l, sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}))
	want := testkit.Values{KeepAlive: 1, Idle: 60, Interval: 10, Count: 3, UserTimeout: 90000}
	assert.Equal(t, want, testkit.Read(t, l))
	got, err := sockopt.Get(l)
	require.NoError(t, err)
	assert.Equal(t, settings(want), got)
	assert.Equal(t, want, testkit.Read(t, dialAndAccept(t, l)))
}

func TestVerifyChangesNothingAndNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	cfg := sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	before := testkit.ReadAny(t, client)
	require.Error(t, sockopt.Verify(client, cfg))
	assert.Equal(t, before, testkit.ReadAny(t, client))

	require.NoError(t, sockopt.Set(client, cfg))
	require.NoError(t, sockopt.Verify(client, cfg))
	require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: 15 * time.Second, UserTimeout: 20 * time.Second}))
	assert.EqualError(t, sockopt.Verify(client, cfg), "sockopt: keepalive idle=60s,interval=10s,count=3,user-timeout=90s: "+
		"TCP_USER_TIMEOUT: asked for 90000, the kernel holds 20000; TCP_KEEPIDLE: asked for 60, the kernel holds 15")
	assert.NoError(t, sockopt.Verify(client, sockopt.Config{Count: 3}), "what is unset is not looked at")

	require.NoError(t, client.Close())
	assert.ErrorIs(t, sockopt.Verify(client, cfg), net.ErrClosed)
	assert.ErrorIs(t, sockopt.Verify(&net.UnixConn{}, cfg), sockopt.ErrNotTCP)
}

// What a socket may hold is more than what it may be given; what it can never hold
// is an error all the same.
func TestVerifyComparesWhatCannotBeSet(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, fullConfig))
	for rule, row := range map[string]struct {
		cfg  sockopt.Config
		want string
	}{
		"more than the option takes": {sockopt.Config{Idle: 86400 * time.Second, Interval: 40000 * time.Second, Count: 255},
			"TCP_KEEPINTVL: asked for 40000, the kernel holds 10; TCP_KEEPCNT: asked for 255, the kernel holds 3; TCP_KEEPIDLE: asked for 86400, the kernel holds 60"},
		"more than a C int": {sockopt.Config{Idle: (1<<32 + 60) * time.Second}, "idle=4294967356s is too large"},
		"negative":          {sockopt.Config{Count: -1}, "count=-1 is negative"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			assert.ErrorContains(t, sockopt.Verify(client, row.cfg), row.want)
		})
	}
}

// An option that nobody can read is no option that is as asked.
func TestVerifyOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, fullConfig))
	for rule, readable := range map[string]platform.Answer{"never": platform.No, "on some releases": platform.Unknown} {
		t.Run(rule, func(t *testing.T) {
			system := *kernel.Current()
			system.Specs = slices.Clone(system.Specs)
			for i := range system.Specs {
				if system.Specs[i].Option == platform.Idle {
					system.Specs[i].Readable = readable
				}
			}
			other := socket.OS{Table: &system}
			assert.NoError(t, sockopt.SetOn(other, client, fullConfig), "which cannot do better")
			assert.NoError(t, sockopt.VerifyOn(other, client, sockopt.Config{Count: 3}), "the others can be read")
			if readable == platform.No {
				err := sockopt.VerifyOn(other, client, fullConfig)
				require.ErrorContains(t, err, "idle=60s cannot be read back on linux")
				require.ErrorIs(t, err, errors.ErrUnsupported)
				return
			}
			assert.NoError(t, sockopt.VerifyOn(other, client, fullConfig), "this release can")
			k := fakeSocket()
			k.FailGet[keepIdle] = unix.ENOPROTOOPT
			k.Held[soKeepAlive] = 1
			other.Calls = k
			err := sockopt.VerifyOn(other, client, sockopt.Config{Idle: time.Minute})
			require.ErrorContains(t, err, "getsockopt TCP_KEEPIDLE: protocol not available")
			require.ErrorIs(t, err, errors.ErrUnsupported)
		})
	}
}
