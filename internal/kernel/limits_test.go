package kernel_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
)

// one asks for a single option; a platform that couples it with another gets the
// smallest value of that as well.
func one(tbl *Rules, o Option, v int64) Request {
	var r Request
	if s := tbl.Spec(o); s != nil {
		setField(&r, s.Needs, 1)
	}
	setField(&r, o, v)
	return r
}

func setField(r *Request, o Option, v int64) {
	switch o {
	case Idle:
		r.Idle = time.Duration(v)
	case Interval:
		r.Interval = time.Duration(v)
	case Count:
		r.Count = int(v)
	case UserTimeout:
		r.UserTimeout = time.Duration(v)
	}
}

// stepOf returns the call that sets an option.
func stepOf(t *testing.T, p Plan, o Option) Step {
	t.Helper()
	for _, s := range p.Steps() {
		if s.Carries.Has(o) {
			return s
		}
	}
	require.Fail(t, "no step", "sets %s", o)
	return Step{}
}

// eachPlain runs test for every option that is one setsockopt of its own, with
// its unit in nanoseconds (1 for a count) and the largest value in that unit.
func eachPlain(t *testing.T, test func(t *testing.T, tbl *Rules, w spec, unit, most int64)) {
	rows := 0
	for _, tbl := range all() {
		for _, w := range expected[tbl.Name] {
			if w.option == KeepAlive || w.form != Plain {
				continue
			}
			rows++
			unit := map[time.Duration]int64{Times: 1, perSecond: 1e9, perHalfSecond: 5e8, perMillisecond: 1e6}[w.unit]
			most := w.max
			if most == noMax {
				most = cInt
			}
			t.Run(tbl.Name+" "+w.symbol, func(t *testing.T) {
				t.Parallel()
				test(t, tbl, w, unit, most)
			})
		}
	}
	assert.NotZero(t, rows)
}

func TestValuesInKernelUnits(t *testing.T) {
	t.Parallel()
	type row struct {
		rule        string
		asked, want int64
	}
	eachPlain(t, func(t *testing.T, tbl *Rules, w spec, unit, most int64) {
		rows := []row{
			{"the smallest there is", 1, 1},
			{"one unit", unit, 1},
			{"two units", 2 * unit, 2},
			{"the largest", most * unit, most},
		}
		if unit > 1 {
			rows = append(rows,
				row{"half a second", int64(500 * time.Millisecond), map[time.Duration]int64{perSecond: 1, perHalfSecond: 1, perMillisecond: 500}[w.unit]},
				row{"a second and a half", int64(1500 * time.Millisecond), map[time.Duration]int64{perSecond: 2, perHalfSecond: 3, perMillisecond: 1500}[w.unit]},
				row{"up, not to the nearest", unit + 1, 2},
				row{"up to the largest", (most-1)*unit + 1, most})
		}
		for _, row := range rows {
			p, faults := tbl.Plan(one(tbl, w.option, row.asked))
			require.NoError(t, faults.Err(), row.rule)
			s := stepOf(t, p, w.option)
			assert.EqualValues(t, row.want, s.Value, row.rule)
			assert.Equal(t, []any{w.symbol, w.level, w.number}, []any{s.Symbol, s.Level, s.Number})
		}
	})
}

func TestValuesOutOfRange(t *testing.T) {
	t.Parallel()
	eachPlain(t, func(t *testing.T, tbl *Rules, w spec, unit, most int64) {
		for _, row := range []struct {
			rule  string
			asked int64
			kind  string
		}{
			{"one above the largest", most*unit + 1, TooLarge},
			{"the largest there is", math.MaxInt64, TooLarge},
			{"below zero", -2, Negative},
			{"far below zero", -int64(time.Hour), Negative},
			{"the smallest there is", math.MinInt64, Negative},
		} {
			if w.option == Count && (row.asked > math.MaxInt || row.asked < math.MinInt) {
				continue // no int holds it, so nobody can ask for it
			}
			p, faults := tbl.Plan(one(tbl, w.option, row.asked))
			assert.Empty(t, p.Steps(), row.rule)
			require.Len(t, faults, 1, row.rule)
			f := faults[0]
			assert.Equal(t, row.kind, kindOf(f), row.rule)
			assert.Equal(t, []any{tbl.Name, w.option, w.symbol, row.asked}, []any{f.Platform, f.Option, f.Symbol, f.Value}, row.rule)
			if w.min != noMin {
				assert.Equal(t, unit, f.Min, row.rule)
			}
			switch {
			case row.kind == TooLarge || w.max != noMax:
				assert.Equal(t, most*unit, f.Max, row.rule)
			default:
				assert.EqualValues(t, UnknownLimit, f.Max, row.rule)
			}
		}
	})
}

// Solaris before 11.4 takes the product of interval and count in milliseconds.
func TestProductLimits(t *testing.T) {
	t.Parallel()
	const call = "TCP_KEEPALIVE_ABORT_THRESHOLD="
	for _, row := range []struct {
		rule     string
		interval time.Duration
		count    int
		want     string // "" if too large
		max      time.Duration
	}{
		{"product", 10 * time.Second, 3, "30000", 0},
		{"the interval rounds up before it is multiplied", 1500 * time.Microsecond, 4, "8", 0},
		{"smallest", 1, 1, "1", 0},
		{"largest interval", cInt * time.Millisecond, 1, "2147483647", 0},
		{"interval above", cInt*time.Millisecond + 1, 1, "", cInt * time.Millisecond},
		{"largest count", time.Millisecond, cInt, "2147483647", 0},
		{"count above", 2 * time.Millisecond, cInt, "", time.Millisecond},
		{"the product is what counts", 715827882 * time.Millisecond, 3, "2147483646", 0},
		{"the product above", 715827883 * time.Millisecond, 3, "", 715827882 * time.Millisecond},
		{"no overflow", math.MaxInt64, math.MaxInt32, "", time.Millisecond},
	} {
		t.Run(row.rule, func(t *testing.T) {
			p, faults := table(t, "solaris-before-11.4").Plan(Request{Interval: row.interval, Count: row.count})
			if row.want != "" {
				require.NoError(t, faults.Err())
				assert.Equal(t, []string{call + row.want, "SO_KEEPALIVE=1"}, steps(p))
				return
			}
			require.Len(t, faults, 1)
			assert.Equal(t, TooLarge, kindOf(faults[0]))
			assert.Equal(t, Interval, faults[0].Option)
			assert.EqualValues(t, row.interval, faults[0].Value)
			assert.EqualValues(t, row.max, faults[0].Max)
		})
	}
}

// What cannot be right with any partner is reported at once, not after the
// partner was mended.
func TestProductFaultsAllAtOnce(t *testing.T) {
	t.Parallel()
	const name = "solaris-before-11.4"
	tooLong := "interval=7200000s is too large: TCP_KEEPALIVE_ABORT_THRESHOLD on solaris-before-11.4 takes at most 2147483.647s (what a C int holds)"
	r := Request{Interval: 2000 * time.Hour}
	assert.ErrorContains(t, table(t, name).Check(r).Err(), tooLong)
	assert.ErrorContains(t, table(t, name).Check(r).Err(), "without count")
	r.Count = -1
	assert.EqualError(t, table(t, name).Check(r).Err(), tooLong+"; count=-1 is negative: 0 leaves it alone")

	if huge := int64(3e9); huge <= math.MaxInt {
		r = Request{Interval: 10 * time.Second}
		setField(&r, Count, huge)
		assert.EqualError(t, table(t, name).Check(r).Err(), "count=3000000000 is too large: "+
			"TCP_KEEPALIVE_ABORT_THRESHOLD on solaris-before-11.4 takes at most 2147483647 (what a C int holds)")
	}
}

// SIO_KEEPALIVE_VALS takes two ULONG of milliseconds.
func TestKeepAliveValsLimits(t *testing.T) {
	t.Parallel()
	const most = 4294967295 * time.Millisecond
	for _, row := range []struct {
		rule           string
		idle, interval time.Duration
		want           [3]uint32
		faults         []Option
	}{
		{"milliseconds", time.Minute, 10 * time.Second, [3]uint32{1, 60000, 10000}, nil},
		{"rounded up", 1, 1500 * time.Microsecond, [3]uint32{1, 1, 2}, nil},
		{"largest", most, most, [3]uint32{1, 4294967295, 4294967295}, nil},
		{"idle above", most + 1, time.Second, [3]uint32{}, []Option{Idle}},
		{"both above", math.MaxInt64, math.MaxInt64, [3]uint32{}, []Option{Idle, Interval}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			p, faults := table(t, "windows-before-1709").Plan(Request{Idle: row.idle, Interval: row.interval})
			require.Len(t, faults, len(row.faults))
			for i, o := range row.faults {
				assert.Equal(t, []any{TooLarge, o, int64(most)}, []any{kindOf(faults[i]), faults[i].Option, faults[i].Max})
			}
			if len(row.faults) == 0 {
				assert.Equal(t, row.want, stepOf(t, p, Idle).Vals)
			}
		})
	}
}

// No released table has a minimum above one unit, but older illumos builds did
// (10 s), so the check is tried on a table of its own.
func TestMinimum(t *testing.T) {
	t.Parallel()
	old := RulesOf(&Table{Name: "old", GOOS: "old", Title: "Old", Specs: []Spec{
		{Option: KeepAlive, Symbol: "SO_KEEPALIVE", Level: 0xffff, Number: 8, Unit: Flag, Max: 1},
		{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: 6, Number: 0x22, Unit: perSecond, Min: 10, Max: UnknownLimit},
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: 6, Number: 0x24, Unit: perSecond, Min: 10, Max: 60},
	}})
	_, faults := old.Plan(Request{Idle: 9 * time.Second, Interval: 9 * time.Second})
	require.Len(t, faults, 2)
	assert.Equal(t, TooSmall, kindOf(faults[0]))
	assert.EqualValues(t, 10*time.Second, faults[0].Min)
	assert.EqualError(t, faults, "idle=9s is too small: TCP_KEEPIDLE on old takes at least 10s; "+
		"interval=9s is too small: TCP_KEEPINTVL on old takes 10s to 60s")

	p, faults := old.Plan(Request{Idle: 9*time.Second + 1})
	require.NoError(t, faults.Err(), "rounded up to the minimum")
	assert.Equal(t, 10, stepOf(t, p, Idle).Value)

	r, changes, err := old.Nearest(Request{Idle: time.Second})
	require.NoError(t, err)
	assert.Equal(t, Request{Idle: 10 * time.Second}, r)
	require.Len(t, changes, 1)
	assert.Equal(t, "idle=1s -> 10s: idle=1s is too small: TCP_KEEPIDLE on old takes at least 10s", changes[0].String())
}
