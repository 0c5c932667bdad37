package kernel_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	. "github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
)

// full asks every table for all that it has, and says what calls that takes.
// at are the calls' levels and numbers; an ioctl has neither.
var full = []struct {
	table   string
	request Request
	calls   []string
	at      []At
}{
	{"linux", everything,
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_USER_TIMEOUT=90000", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60"},
		[]At{{6, 5}, {6, 6}, {6, 18}, {1, 9}, {6, 4}}},
	{"linux-mips", everything,
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_USER_TIMEOUT=90000", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60"},
		[]At{{6, 5}, {6, 6}, {6, 18}, {0xffff, 8}, {6, 4}}},
	{"android", everything,
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_USER_TIMEOUT=90000", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60"},
		[]At{{6, 5}, {6, 6}, {6, 18}, {1, 9}, {6, 4}}},
	{"darwin", everything,
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_RXT_CONNDROPTIME=90", "SO_KEEPALIVE=1", "TCP_KEEPALIVE=60"},
		[]At{{6, 0x101}, {6, 0x102}, {6, 0x80}, {0xffff, 8}, {6, 0x10}}},
	{"ios", everything,
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_RXT_CONNDROPTIME=90", "SO_KEEPALIVE=1", "TCP_KEEPALIVE=60"},
		[]At{{6, 0x101}, {6, 0x102}, {6, 0x80}, {0xffff, 8}, {6, 0x10}}},
	{"freebsd", everything,
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_MAXUNACKTIME=90", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60"},
		[]At{{6, 0x200}, {6, 0x400}, {6, 68}, {0xffff, 8}, {6, 0x100}}},
	{"netbsd", without(UserTimeout),
		[]string{"SO_KEEPALIVE=0", "TCP_KEEPIDLE=120", "TCP_KEEPINTVL=20", "TCP_KEEPCNT=3", "SO_KEEPALIVE=1"},
		[]At{{0xffff, 8}, {6, 3}, {6, 5}, {6, 6}, {0xffff, 8}}},
	{"openbsd", Request{},
		[]string{"SO_KEEPALIVE=1"},
		[]At{{0xffff, 8}}},
	{"dragonfly", without(UserTimeout),
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60"},
		[]At{{6, 0x200}, {6, 0x400}, {0xffff, 8}, {6, 0x100}}},
	{"dragonfly-before-5.8", without(UserTimeout),
		[]string{"TCP_KEEPINTVL=10000", "TCP_KEEPCNT=3", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60000"},
		[]At{{6, 0x200}, {6, 0x400}, {0xffff, 8}, {6, 0x100}}},
	{"illumos", everything,
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_ABORT_THRESHOLD=90000", "TCP_KEEPIDLE=60", "SO_KEEPALIVE=1"},
		[]At{{6, 0x24}, {6, 0x23}, {6, 0x11}, {6, 0x22}, {0xffff, 8}}},
	{"solaris", everything,
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_ABORT_THRESHOLD=90000", "TCP_KEEPIDLE=60", "SO_KEEPALIVE=1"},
		[]At{{6, 0x1e}, {6, 0x1f}, {6, 0x11}, {6, 0x1d}, {0xffff, 8}}},
	{"solaris-before-11.4", everything,
		[]string{"TCP_KEEPALIVE_ABORT_THRESHOLD=30000", "TCP_ABORT_THRESHOLD=90000", "TCP_KEEPALIVE_THRESHOLD=60000", "SO_KEEPALIVE=1"},
		[]At{{6, 0x17}, {6, 0x11}, {6, 0x16}, {0xffff, 8}}},
	{"aix", without(UserTimeout),
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60"},
		[]At{{6, 0x12}, {6, 0x13}, {0xffff, 8}, {6, 0x11}}},
	{"linux-gvisor", everything,
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_USER_TIMEOUT=90000", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60"},
		[]At{{6, 5}, {6, 6}, {6, 18}, {1, 9}, {6, 4}}},
	{"windows", everything,
		[]string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_MAXRT=90", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60"},
		[]At{{6, 17}, {6, 16}, {6, 5}, {0xffff, 8}, {6, 3}}},
	{"windows-before-1709", without(Count),
		[]string{"SIO_KEEPALIVE_VALS={1,60000,10000}", "TCP_MAXRT=90", "SO_KEEPALIVE=1"},
		[]At{{0, 0}, {6, 5}, {0xffff, 8}}},
}

var everything = Request{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}

func without(o Option) Request {
	r := everything
	switch o {
	case Count:
		r.Count = 0
	case UserTimeout:
		r.UserTimeout = 0
	}
	return r
}

func TestPlanOfEverything(t *testing.T) {
	t.Parallel()
	require.Len(t, full, len(all()), "one row for each table")
	for _, row := range full {
		t.Run(row.table, func(t *testing.T) {
			t.Parallel()
			p := plan(t, row.table, row.request)
			require.Equal(t, row.calls, steps(p))
			for i, s := range p.Steps() {
				assert.Equal(t, row.at[i], At{s.Level, s.Number}, s.Symbol)
				assert.Equal(t, s.Symbol == "SIO_KEEPALIVE_VALS", s.IsKeepAliveVals(), s.Symbol)
				assert.True(t, s.Carries.Has(s.Option), s.Symbol)
			}
			want := SetOf(KeepAlive)
			for _, o := range Options() {
				if field(row.request, o) != 0 {
					want |= SetOf(o)
				}
			}
			assert.Equal(t, want.String(), p.Carries().String())
		})
	}
}

// field is the value that a request has for an option other than KeepAlive.
func field(r Request, o Option) int64 {
	return map[Option]int64{Idle: int64(r.Idle), Interval: int64(r.Interval), Count: int64(r.Count), UserTimeout: int64(r.UserTimeout)}[o]
}

func TestPlanOfDisabled(t *testing.T) {
	t.Parallel()
	for _, tbl := range all() {
		assert.Equal(t, []string{"SO_KEEPALIVE=0"}, steps(plan(t, tbl.Name, Request{Disabled: true})), tbl.Name)
	}
	// With everything else besides: the same calls, SO_KEEPALIVE=0 moved to the front.
	for _, row := range full {
		r := row.request
		r.Disabled = true
		want := []string{"SO_KEEPALIVE=0"}
		for _, call := range row.calls {
			switch call {
			case "SO_KEEPALIVE=0", "SO_KEEPALIVE=1":
			case "SIO_KEEPALIVE_VALS={1,60000,10000}":
				want = append(want, "SIO_KEEPALIVE_VALS={0,60000,10000}")
			default:
				want = append(want, call)
			}
		}
		assert.Equal(t, want, steps(plan(t, row.table, r)), row.table)
	}
}

func TestPlanOfOneField(t *testing.T) {
	t.Parallel()
	const on = "SO_KEEPALIVE=1"
	idle := Request{Idle: time.Minute}
	interval := Request{Interval: 10 * time.Second}
	count := Request{Count: 3}
	user := Request{UserTimeout: 90 * time.Second}
	noUser := Request{UserTimeout: NoUserTimeout}
	for _, row := range []struct {
		tables  []string
		request Request
		calls   []string // nil: refused
	}{
		{[]string{"linux", "linux-mips", "android"}, idle, []string{on, "TCP_KEEPIDLE=60"}},
		{[]string{"linux", "linux-mips", "android"}, interval, []string{"TCP_KEEPINTVL=10", on}},
		{[]string{"linux", "linux-mips", "android"}, count, []string{"TCP_KEEPCNT=3", on}},
		{[]string{"linux", "linux-mips", "android"}, user, []string{"TCP_USER_TIMEOUT=90000", on}},
		{[]string{"linux", "linux-mips", "android"}, noUser, []string{"TCP_USER_TIMEOUT=0", on}},

		{[]string{"darwin", "ios"}, idle, []string{on, "TCP_KEEPALIVE=60"}},
		{[]string{"darwin", "ios"}, interval, []string{"TCP_KEEPINTVL=10", on}},
		{[]string{"darwin", "ios"}, count, []string{"TCP_KEEPCNT=3", on}},
		{[]string{"darwin", "ios"}, user, []string{"TCP_RXT_CONNDROPTIME=90", on}},
		{[]string{"darwin", "ios"}, noUser, []string{"TCP_RXT_CONNDROPTIME=0", on}},

		{[]string{"freebsd", "dragonfly", "aix", "windows"}, idle, []string{on, "TCP_KEEPIDLE=60"}},
		{[]string{"freebsd", "dragonfly", "aix", "windows"}, interval, []string{"TCP_KEEPINTVL=10", on}},
		{[]string{"freebsd", "dragonfly", "aix", "windows"}, count, []string{"TCP_KEEPCNT=3", on}},
		{[]string{"freebsd"}, user, []string{"TCP_MAXUNACKTIME=90", on}},
		{[]string{"freebsd"}, noUser, []string{"TCP_MAXUNACKTIME=0", on}},
		{[]string{"dragonfly-before-5.8"}, idle, []string{on, "TCP_KEEPIDLE=60000"}},
		{[]string{"dragonfly-before-5.8"}, interval, []string{"TCP_KEEPINTVL=10000", on}},
		{[]string{"dragonfly-before-5.8"}, count, []string{"TCP_KEEPCNT=3", on}},
		{[]string{"windows", "windows-before-1709"}, user, []string{"TCP_MAXRT=90", on}},

		{[]string{"netbsd"}, idle, []string{"SO_KEEPALIVE=0", "TCP_KEEPIDLE=120", on}},
		{[]string{"netbsd"}, interval, []string{"SO_KEEPALIVE=0", "TCP_KEEPINTVL=20", on}},
		{[]string{"netbsd"}, count, []string{"SO_KEEPALIVE=0", "TCP_KEEPCNT=3", on}},

		{[]string{"illumos", "solaris"}, idle, []string{"TCP_KEEPIDLE=60", on}},
		{[]string{"solaris-before-11.4"}, idle, []string{"TCP_KEEPALIVE_THRESHOLD=60000", on}},
		{[]string{"illumos", "solaris", "solaris-before-11.4"}, interval, nil},
		{[]string{"illumos", "solaris", "solaris-before-11.4"}, count, nil},
		{[]string{"illumos", "solaris", "solaris-before-11.4"}, user, []string{"TCP_ABORT_THRESHOLD=90000", on}},

		{[]string{"windows-before-1709"}, idle, nil},
		{[]string{"windows-before-1709"}, interval, nil},
		{[]string{"windows-before-1709"}, count, nil},

		{[]string{"openbsd"}, idle, nil},
		{[]string{"openbsd"}, interval, nil},
		{[]string{"openbsd"}, count, nil},
		{[]string{"openbsd", "netbsd", "dragonfly", "dragonfly-before-5.8", "aix"}, user, nil},

		// What switches it off is not known here ...
		{[]string{"illumos", "solaris", "solaris-before-11.4", "windows", "windows-before-1709"}, noUser, nil},
		// ... and where there is none, there is nothing to switch off.
		{[]string{"openbsd", "netbsd", "dragonfly", "dragonfly-before-5.8", "aix"}, noUser, []string{on}},
	} {
		for _, name := range row.tables {
			t.Run(fmt.Sprintf("%s %+v", name, row.request), func(t *testing.T) {
				p, faults := table(t, name).Plan(row.request)
				assert.Equal(t, row.calls == nil, faults.Err() != nil)
				assert.Equal(t, row.calls, steps(p))
			})
		}
	}
	for _, tbl := range all() {
		assert.Equal(t, []string{on}, steps(plan(t, tbl.Name, Request{})), "%s: a plain request switches keepalive on", tbl.Name)
	}
}

func TestPlanOnly(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rule, table string
		request     Request
		keep        OptionSet
		want        []string
	}{
		{"in the plan's order", "darwin", everything, SetOf(Idle, UserTimeout), []string{"TCP_RXT_CONNDROPTIME=90", "TCP_KEEPALIVE=60"}},
		{"nothing", "darwin", everything, 0, nil},
		{"all", "linux", everything, SetOf(Options()...), full[0].calls},
		{"what the plan does not set is not added", "linux", Request{}, SetOf(Idle), nil},
		{"one half of a product brings the other", "solaris-before-11.4", everything, SetOf(Count), []string{"TCP_KEEPALIVE_ABORT_THRESHOLD=30000"}},
		{"one half of an ioctl brings the other", "windows-before-1709", without(Count), SetOf(Interval), []string{"SIO_KEEPALIVE_VALS={1,60000,10000}"}},
		{"NetBSD: off, timing, on", "netbsd", Request{Idle: time.Minute}, table(t, "netbsd").NotInherited(SetOf(Idle)),
			[]string{"SO_KEEPALIVE=0", "TCP_KEEPIDLE=120", "SO_KEEPALIVE=1"}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			p := plan(t, row.table, row.request)
			before := steps(p)
			assert.Equal(t, row.want, steps(p.Only(row.keep)))
			assert.Equal(t, before, steps(p), "the plan itself stays whole")
		})
	}
}
