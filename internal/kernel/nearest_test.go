package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	const c31 = cInt
	for _, row := range []struct {
		rule, table string
		asked, want Request
		changes     []string // up to the reason
	}{
		{"accepted: unchanged", "linux", everything, everything, nil},
		{"nothing asked", "illumos", Request{}, Request{}, nil},
		{"disabled stays disabled", "linux", Request{Disabled: true, Count: 200}, Request{Disabled: true, Count: 127}, []string{"count=200 -> 127"}},
		{"too large: the limit", "linux", Request{Idle: 10 * time.Hour, Interval: time.Second},
			Request{Idle: 32767 * time.Second, Interval: time.Second}, []string{"idle=36000s -> 32767s"}},
		{"negative: unset", "linux", Request{Idle: -time.Second}, Request{}, []string{"idle=-1s -> unset"}},
		{"sub-second values are the kernel's to round", "linux", Request{Idle: time.Millisecond}, Request{Idle: time.Millisecond}, nil},
		{"unsupported: left out", "openbsd", everything, Request{},
			[]string{"idle=60s -> unset", "interval=10s -> unset", "count=3 -> unset", "user-timeout=90s -> unset"}},
		{"no way to switch a user timeout off", "windows", Request{UserTimeout: NoUserTimeout}, Request{}, []string{"user-timeout=off -> unset"}},
		{"no user timeout at all is just what was asked for", "netbsd", Request{UserTimeout: NoUserTimeout}, Request{UserTimeout: NoUserTimeout}, nil},
		{"illumos: the count that fills eight minutes", "illumos", Request{Interval: 30 * time.Second},
			Request{Interval: 30 * time.Second, Count: 16}, []string{"count=unset -> 16"}},
		{"illumos: from the interval it gets, not the one asked for", "illumos", Request{Interval: time.Hour},
			Request{Interval: time.Minute, Count: 8}, []string{"interval=3600s -> 60s", "count=unset -> 8"}},
		{"illumos: from the interval as the kernel counts it, whole seconds", "illumos", Request{Interval: time.Nanosecond},
			Request{Interval: time.Nanosecond, Count: 480}, []string{"count=unset -> 480"}},
		{"illumos: the interval that fills eight minutes", "illumos", Request{Count: 48},
			Request{Interval: 10 * time.Second, Count: 48}, []string{"interval=unset -> 10s"}},
		{"illumos: at most 60 s", "illumos", Request{Count: 2}, Request{Interval: time.Minute, Count: 2}, []string{"interval=unset -> 60s"}},
		{"Solaris: no such limit", "solaris", Request{Count: 2}, Request{Interval: 4 * time.Minute, Count: 2}, []string{"interval=unset -> 240s"}},
		{"Solaris: at least one probe", "solaris", Request{Interval: time.Hour}, Request{Interval: time.Hour, Count: 1}, []string{"count=unset -> 1"}},
		{"Solaris before 11.4: the product fits a C int", "solaris-before-11.4", Request{Interval: time.Hour, Count: 1000},
			Request{Interval: 2147483 * time.Millisecond, Count: 1000}, []string{"interval=3600s -> 2147.483s"}},
		{"Windows before 1709: its own default interval", "windows-before-1709", Request{Idle: time.Minute},
			Request{Idle: time.Minute, Interval: time.Second}, []string{"interval=unset -> 1s"}},
		{"Windows before 1709: its own default idle time", "windows-before-1709", Request{Interval: time.Minute, Count: 3},
			Request{Idle: 2 * time.Hour, Interval: time.Minute}, []string{"idle=unset -> 7200s", "count=3 -> unset"}},
		{"both halves out of range", "solaris", Request{Interval: math.MaxInt64, Count: math.MaxInt},
			Request{Interval: c31 * time.Second, Count: c31}, nil},
	} {
		t.Run(row.rule, func(t *testing.T) {
			t.Parallel()
			got, changes, err := table(t, row.table).Nearest(row.asked)
			require.NoError(t, err)
			assert.Equal(t, row.want, got)
			if row.changes == nil && row.asked != row.want {
				return
			}
			require.Len(t, changes, len(row.changes))
			for i, c := range changes {
				assert.Equal(t, row.changes[i]+": "+c.Why, c.String())
				assert.NotEmpty(t, c.Why)
			}
		})
	}
}

// randomRequest is mostly near a limit of some platform.
func randomRequest(r *rand.Rand) Request {
	limits := []int64{0, 1, 8, 60, 127, 128, 255, 256, 480, 32767, 32768, 864000, 4294967, 4294968, cInt, cInt + 1, 4294967295, 4294967296}
	number := func(unit int64) int64 {
		switch r.IntN(8) {
		case 0:
			return 0
		case 1:
			return int64(r.Uint64()) // anything at all
		case 2:
			return []int64{math.MaxInt64, math.MinInt64, -1, 1}[r.IntN(4)]
		case 3:
			return r.Int64N(300) * unit
		}
		return limits[r.IntN(len(limits))]*unit + r.Int64N(3) - 1
	}
	duration := func() time.Duration { return time.Duration(number([]int64{1e6, 5e8, 1e9}[r.IntN(3)])) }
	return Request{Disabled: r.IntN(4) == 0, Idle: duration(), Interval: duration(), Count: int(number(1)), UserTimeout: duration()}
}

func TestNearestIsAcceptedAndMinimal(t *testing.T) {
	t.Parallel()
	for _, tbl := range all() {
		t.Run(tbl.Name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			accepted, changed := 0, 0
			for range 4000 {
				asked := randomRequest(random)
				if random.IntN(3) == 0 { // make sure that some need no change
					asked, _, _ = tbl.Nearest(asked)
				}
				got, changes, err := tbl.Nearest(asked)
				require.NoError(t, err)
				if problem := judge(tbl, asked, got, changes); problem != "" {
					require.Fail(t, problem, "asked %+v\ngot %+v\nchanges %v", asked, got, changes)
				}
				if len(changes) == 0 {
					accepted++
				} else {
					changed++
				}
			}
			assert.Greater(t, accepted, 100)
			assert.Greater(t, changed, 100)
		})
	}
}

// judge says what is wrong with an answer of Nearest, "" if nothing is.
func judge(tbl *Rules, asked, got Request, changes []Change) string {
	if err := tbl.Check(got).Err(); err != nil {
		return "not accepted: " + err.Error()
	}
	if tbl.Check(asked).Err() == nil && (got != asked || len(changes) > 0) {
		return "accepted and changed all the same"
	}
	listed := map[Option]Change{}
	for _, c := range changes {
		if _, twice := listed[c.Option]; twice {
			return fmt.Sprintf("%s listed twice", c.Option)
		}
		listed[c.Option] = c
	}
	if got.Disabled != asked.Disabled {
		return "on became off or the other way round"
	}
	for _, o := range []Option{Idle, Interval, Count, UserTimeout} {
		from, to := field(asked, o), field(got, o)
		c, ok := listed[o]
		switch {
		case ok != (from != to):
			return fmt.Sprintf("%s: listed %t, changed %t", o, ok, from != to)
		case !ok:
			continue
		case c.From != from || c.To != to:
			return fmt.Sprintf("%s: listed with other values", o)
		case c.Why == "":
			return fmt.Sprintf("%s: changed for no reason", o)
		}
		back := got
		setField(&back, o, from)
		if tbl.Check(back).Err() == nil {
			return fmt.Sprintf("%s need not have changed", o)
		}
	}
	return ""
}

// A value that had to change twice is explained by what was wrong with the one
// that was asked for.
func TestNearestGivesTheFirstReason(t *testing.T) {
	t.Parallel()
	_, changes, err := table(t, "illumos").Nearest(Request{Interval: 10 * time.Second, Count: -1})
	require.NoError(t, err)
	require.Len(t, changes, 1)
	assert.Equal(t, "count=-1 -> 48: count=-1 is negative: 0 leaves it alone", changes[0].String())
}
