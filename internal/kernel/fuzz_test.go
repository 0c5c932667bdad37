package kernel_test

import (
	"math"
	"testing"
	"time"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
)

// FuzzPlan makes sure of what holds for every request on every platform: no
// panic; either faults that say something or calls within the limits, that
// together set all that was asked and nothing else.
func FuzzPlan(f *testing.F) {
	for _, r := range []Request{
		{}, everything, {Disabled: true}, {UserTimeout: NoUserTimeout},
		{Idle: math.MaxInt64, Interval: math.MaxInt64, Count: math.MaxInt32, UserTimeout: math.MaxInt64},
		{Idle: math.MinInt64, Interval: math.MinInt64, Count: math.MinInt32, UserTimeout: math.MinInt64},
		{Idle: 1, Interval: 1, Count: 1, UserTimeout: 1},
		{Idle: 32767 * time.Second, Interval: 60 * time.Second, Count: 127, UserTimeout: cInt * time.Millisecond},
	} {
		f.Add(r.Disabled, int64(r.Idle), int64(r.Interval), int64(r.Count), int64(r.UserTimeout))
	}
	f.Fuzz(func(t *testing.T, disabled bool, idle, interval, count, userTimeout int64) {
		r := Request{disabled, time.Duration(idle), time.Duration(interval), int(count), time.Duration(userTimeout)}
		for _, tbl := range all() {
			p, faults := tbl.Plan(r)
			if len(faults) > 0 {
				checkFaults(t, tbl, p, faults)
			} else {
				checkSteps(t, tbl, r, p)
			}
			got, changes, err := tbl.Nearest(r)
			if err != nil {
				t.Fatalf("%s: %v", tbl.Name, err)
			}
			if problem := judge(tbl, r, got, changes); problem != "" {
				t.Fatalf("%s: Nearest(%+v) = %+v: %s", tbl.Name, r, got, problem)
			}
		}
	})
}

func checkFaults(t *testing.T, tbl *Rules, p Plan, faults Faults) {
	t.Helper()
	if len(p.Steps()) > 0 {
		t.Fatalf("%s: calls in spite of %v", tbl.Name, faults)
	}
	for _, f := range faults {
		if f.Error() == "" || f.Platform != tbl.Name {
			t.Fatalf("%s: fault %+v", tbl.Name, f)
		}
	}
}

func checkSteps(t *testing.T, tbl *Rules, r Request, p Plan) {
	t.Helper()
	want := SetOf(KeepAlive)
	for _, o := range []Option{Idle, Interval, Count, UserTimeout} {
		if field(r, o) != 0 && tbl.Spec(o) != nil {
			want |= SetOf(o)
		}
	}
	if got := p.Carries(); got != want {
		t.Fatalf("%s: %+v sets %s, not %s", tbl.Name, r, got, want)
	}
	var on bool
	for _, s := range p.Steps() {
		least, most := int64(1), int64(cInt)
		switch w := tbl.Spec(s.Option); {
		case s.IsKeepAliveVals():
			if s.Vals[0] > 1 || s.Vals[1] == 0 || s.Vals[2] == 0 {
				t.Fatalf("%s: %s", tbl.Name, s.String())
			}
			continue
		case s.Option == KeepAlive:
			least, most = 0, 1
			on = s.Value == 1
		case s.Option == UserTimeout && r.UserTimeout == NoUserTimeout:
			least, most = 0, 0
		case w.Max != UnknownLimit:
			most = w.Max
		}
		if v := int64(s.Value); v < least || v > most {
			t.Fatalf("%s: %+v: %s is not in %d..%d", tbl.Name, r, s.String(), least, most)
		}
	}
	if on == r.Disabled {
		t.Fatalf("%s: %+v leaves keepalive %t", tbl.Name, r, on)
	}
}
