package kernel_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	. "github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
)

func TestFaultTexts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rule, table string
		request     Request
		want        string
	}{
		{"too large: value, option, both limits", "linux", Request{Idle: 10 * time.Hour},
			"idle=36000s is too large: TCP_KEEPIDLE on linux takes 1s to 32767s"},
		{"a count has no unit", "linux", Request{Count: 200},
			"count=200 is too large: TCP_KEEPCNT on linux takes 1 to 127"},
		{"the package's own example", "illumos", Request{Interval: 2 * time.Minute, Count: 3},
			"interval=120s is too large: TCP_KEEPINTVL on illumos takes 1s to 60s"},
		{"an unknown maximum is a C int", "solaris", Request{Idle: 1 << 31 * time.Second},
			"idle=2147483648s is too large: TCP_KEEPIDLE on solaris takes at most 2147483647s (what a C int holds)"},
		{"the product names the count", "solaris-before-11.4", Request{Interval: time.Hour, Count: 1000},
			"interval=3600s is too large: TCP_KEEPALIVE_ABORT_THRESHOLD on solaris-before-11.4 takes at most 2147.483s (with count=1000)"},
		{"negative", "linux", Request{Idle: -time.Second},
			"idle=-1s is negative: 0 leaves it alone"},
		{"negative count", "linux", Request{Count: -1},
			"count=-1 is negative: 0 leaves it alone"},
		{"negative user timeout: says how to switch it off", "linux", Request{UserTimeout: -time.Second},
			`user-timeout=-1s is negative: 0 leaves it alone, NoUserTimeout (-1ns, "off" in text) switches it off`},
		{"unsupported: says why", "netbsd", Request{UserTimeout: time.Minute},
			"user-timeout=60s is not supported on netbsd: NetBSD has no limit on unacknowledged data per socket"},
		{"unsupported: says what to do", "openbsd", Request{Idle: time.Minute},
			"idle=60s is not supported on openbsd: OpenBSD has it for the whole system only: sysctl net.inet.tcp.keepidle"},
		{"switching off where the way is not known", "windows", Request{UserTimeout: NoUserTimeout},
			"user-timeout=off is not supported on windows: what switches TCP_MAXRT off is not known"},
		{"one half of a pair", "illumos", Request{Interval: 10 * time.Second},
			"interval=10s without count is not possible on illumos: the kernel computes the missing one from its abort threshold; set both"},
		{"the other half", "illumos", Request{Count: 3},
			"count=3 without interval is not possible on illumos: the kernel computes the missing one from its abort threshold; set both"},
		{"one half of an ioctl", "windows-before-1709", Request{Idle: time.Minute},
			"idle=60s without interval is not possible on windows-before-1709: SIO_KEEPALIVE_VALS sets both at once, and the value in force cannot be read; set both"},
		{"all at once, in the order of the fields", "linux", Request{Idle: 10 * time.Hour, Interval: -time.Second, Count: 128, UserTimeout: math.MaxInt64},
			"idle=36000s is too large: TCP_KEEPIDLE on linux takes 1s to 32767s; " +
				"interval=-1s is negative: 0 leaves it alone; " +
				"count=128 is too large: TCP_KEEPCNT on linux takes 1 to 127; " +
				"user-timeout=9223372036.854775807s is too large: TCP_USER_TIMEOUT on linux takes 1ms to 2147483.647s"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			_, faults := table(t, row.table).Plan(row.request)
			assert.EqualError(t, faults.Err(), row.want)
		})
	}
}

func TestFaultsAllAtOnce(t *testing.T) {
	t.Parallel()
	bad := Request{Idle: -time.Second, Interval: -time.Second, Count: -1, UserTimeout: -time.Second}
	for _, tbl := range all() {
		p, faults := tbl.Plan(bad)
		assert.Empty(t, p.Steps(), tbl.Name)
		require.Len(t, faults, 4, tbl.Name)
		for i, o := range []Option{Idle, Interval, Count, UserTimeout} {
			assert.Equal(t, []any{Negative, o, tbl.Name}, []any{kindOf(faults[i]), faults[i].Option, faults[i].Platform})
		}
		assert.Equal(t, faults, tbl.Check(bad), "Check and Plan say the same")
	}

	faults := table(t, "openbsd").Check(everything)
	require.Len(t, faults, 4)
	for i, o := range []Option{Idle, Interval, Count, UserTimeout} {
		assert.Equal(t, []any{Unsupported, o, field(everything, o), ""}, []any{kindOf(faults[i]), faults[i].Option, faults[i].Value, faults[i].Symbol})
	}

	// A value out of range does not hide that its partner is missing.
	faults = table(t, "illumos").Check(Request{Interval: time.Hour})
	require.Len(t, faults, 2)
	assert.Equal(t, []string{TooLarge, Incomplete}, []string{kindOf(faults[0]), kindOf(faults[1])})
	assert.Equal(t, Count, faults[1].Missing)
}

func TestFaultIsUnsupportedOnlyForWhatThePlatformLacks(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		table   string
		request Request
		kind    string
		want    bool
	}{
		{"linux", Request{Idle: -time.Second}, Negative, false},
		{"linux", Request{Count: 128}, TooLarge, false},
		{"openbsd", Request{Idle: time.Second}, Unsupported, true},
		{"illumos", Request{Count: 3}, Incomplete, true},
	} {
		faults := table(t, row.table).Check(row.request)
		require.Len(t, faults, 1)
		assert.Equal(t, row.kind, kindOf(faults[0]))
		assert.Equal(t, row.want, errors.Is(faults[0], errors.ErrUnsupported), row.kind)
		assert.False(t, errors.Is(faults[0], errors.New("other")))
	}

	mixed := Faults{{Option: Idle}, {Option: Count, Unsupported: true}}
	err := fmt.Errorf("config: %w", mixed.Err())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	var first *Fault
	require.ErrorAs(t, err, &first)
	assert.Same(t, mixed[0], first)
	var all Faults
	require.ErrorAs(t, err, &all)
	assert.Equal(t, mixed, all)
	assert.NotErrorIs(t, mixed[:1].Err(), errors.ErrUnsupported)
}

func TestNoFaultsAreNoError(t *testing.T) {
	t.Parallel()
	var none Faults
	assert.NoError(t, none.Err())
	assert.NoError(t, Faults{}.Err())
}

func TestPlatformWithoutKeepAlive(t *testing.T) {
	t.Parallel()
	for _, r := range []Request{{}, {Disabled: true}, everything} {
		p, faults := Nothing.Plan(r)
		assert.Empty(t, p.Steps())
		require.NotEmpty(t, faults)
		assert.Equal(t, []any{Unsupported, KeepAlive}, []any{kindOf(faults[0]), faults[0].Option})
		for _, f := range faults {
			assert.ErrorIs(t, f, errors.ErrUnsupported)
		}
	}
	faults := Nothing.Check(everything)
	assert.Len(t, faults, 5)

	nearest, changes, err := Nothing.Nearest(everything)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	assert.Contains(t, err.Error(), "has no TCP keepalive options")
	assert.Zero(t, nearest)
	assert.Empty(t, changes)

	got, err := Nothing.Read(Of(&Nothing.Table), 3)
	require.NoError(t, err)
	assert.Zero(t, got, "nothing is known")
}
