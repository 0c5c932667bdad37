package platform_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/platform"
)

func TestTablesHoldWhatTheHeadersSay(t *testing.T) {
	t.Parallel()
	require.Len(t, Tables(), len(expected), "a table without expectations, or the other way round")
	for _, tbl := range Tables() {
		t.Run(tbl.Name, func(t *testing.T) {
			t.Parallel()
			want := expected[tbl.Name]
			require.Len(t, tbl.Specs, len(want))
			for i, w := range want {
				s := tbl.Specs[i]
				got := spec{s.Option, s.Symbol, s.Level, s.Number, s.Unit, s.Min, s.Max, s.Zero, s.Inherited, s.Readable, s.Form}
				if w.min == noMin && (got.min == UnknownLimit || got.min == 1) {
					got.min = noMin
				}
				assert.Equal(t, w, got, "option %d, in the order of setting", i)
				assert.Equal(t, sysctls[tbl.Name][w.option].name, s.Sysctl, "%s", w.option)
				if s.Sysctl != "" {
					assert.Equal(t, sysctls[tbl.Name][w.option].unit, s.SysctlIn, "%s", w.option)
				}
			}
		})
	}
}

func TestTablesAreConsistent(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, tbl := range Tables() {
		assert.False(t, names[tbl.Name], "two tables are called %s", tbl.Name)
		names[tbl.Name] = true
		t.Run(tbl.Name, func(t *testing.T) {
			t.Parallel()
			assert.NotEmpty(t, tbl.Title)
			assert.NotEmpty(t, tbl.Source)
			assert.True(t, tbl.Name == tbl.GOOS || strings.HasPrefix(tbl.Name, tbl.GOOS+"-"), "%s is not named after %s", tbl.Name, tbl.GOOS)
			for _, note := range tbl.Notes {
				assert.NotEmpty(t, note)
			}

			found, ok := Lookup(tbl.Name)
			assert.True(t, ok)
			assert.Same(t, tbl, found)

			require.NotNil(t, tbl.Spec(KeepAlive))
			for _, o := range Options() {
				has := slices.IndexFunc(tbl.Specs, func(s Spec) bool { return s.Option == o })
				lacks := slices.IndexFunc(tbl.Absent, func(a Absence) bool { return a.Option == o })
				assert.NotEqual(t, has < 0, lacks < 0, "%s is either there or absent with a reason", o)
				if has >= 0 {
					assert.Same(t, &tbl.Specs[has], tbl.Spec(o))
				} else {
					assert.Nil(t, tbl.Spec(o))
					assert.NotEmpty(t, tbl.Absent[lacks].Why)
				}
			}
			assert.Len(t, Options(), len(tbl.Specs)+len(tbl.Absent), "an option twice")

			for _, s := range tbl.Specs {
				assert.NotEmpty(t, s.Symbol)
				if s.Min != UnknownLimit && s.Max != UnknownLimit {
					assert.LessOrEqual(t, s.Min, s.Max, "%s", s.Option)
				}
				if s.Form == Plain {
					assert.NotZero(t, s.Level, "%s", s.Option)
					assert.LessOrEqual(t, s.Max, int64(cInt), "%s: setsockopt takes an int", s.Option)
				}
				isTime := s.Unit.Duration() > 0
				assert.Equal(t, s.Option != KeepAlive && s.Option != Count, isTime, "%s is counted in %s", s.Option, s.Unit)
			}
			for _, p := range tbl.Pairs {
				assert.NotNil(t, tbl.Spec(p.A))
				assert.NotNil(t, tbl.Spec(p.B))
				assert.NotEmpty(t, p.Why)
				assert.NotEqual(t, p.Total > 0, p.DefaultA > 0 && p.DefaultB > 0, "the missing half must follow from something")
			}
		})
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ rule, name, want string }{
		{"a GOOS", "freebsd", "freebsd"},
		{"a variant", "windows-before-1709", "windows-before-1709"},
		{"any case", "Solaris-Before-11.4", "solaris-before-11.4"},
		{"macos is darwin", "macos", "darwin"},
		{"macOS is darwin", "macOS", "darwin"},
		{"no table", "plan9", ""},
		{"no prefix match", "win", ""},
		{"no default", "", ""},
	} {
		t.Run(row.rule, func(t *testing.T) {
			got, ok := Lookup(row.name)
			assert.Equal(t, row.want != "", ok)
			if row.want != "" {
				require.NotNil(t, got)
				assert.Equal(t, row.want, got.Name)
			} else {
				assert.Nil(t, got)
			}
		})
	}
}

func TestCurrentIsATableOfThisSystem(t *testing.T) {
	t.Parallel()
	cur := Current()
	assert.Equal(t, runtime.GOOS, cur.GOOS)
	assert.Same(t, cur, Current(), "the answer does not change")
	if cur != Nothing {
		assert.Contains(t, Tables(), cur)
	}
	if runtime.GOOS == "linux" {
		want := "linux"
		if strings.HasPrefix(runtime.GOARCH, "mips") {
			want = "linux-mips"
		}
		assert.Equal(t, want, cur.Name)
	}
}

func TestNotInherited(t *testing.T) {
	t.Parallel()
	all := SetOf(Options()...)
	for _, row := range []struct {
		rule, table string
		asked, want OptionSet
	}{
		{"Linux clones the listener", "linux", all, 0},
		{"MIPS as well", "linux-mips", all, 0},
		{"macOS: nothing is set on the listening socket", "darwin", all, all},
		{"only what was asked for", "darwin", SetOf(KeepAlive, Interval, Idle), SetOf(KeepAlive, Interval, Idle)},
		{"nothing asked, nothing lost", "darwin", 0, 0},
		{"FreeBSD: TCP_MAXUNACKTIME is not known to be inherited", "freebsd", all, SetOf(UserTimeout)},
		{"NetBSD: off and on again around the timing", "netbsd", SetOf(Idle), SetOf(KeepAlive, Idle)},
		{"NetBSD: nothing is set on the listening socket", "netbsd", SetOf(KeepAlive), SetOf(KeepAlive)},
		{"OpenBSD inherits SO_KEEPALIVE", "openbsd", SetOf(KeepAlive), 0},
		{"DragonFly BSD: documented, not verified", "dragonfly", SetOf(KeepAlive, Idle, Interval, Count), SetOf(KeepAlive, Idle, Interval, Count)},
		{"illumos: nothing is set on the listening socket", "illumos", all, all},
		{"gVisor inherits the user timeout only", "linux-gvisor", all, SetOf(KeepAlive, Idle, Interval, Count)},
		{"Solaris: nobody knows", "solaris", all, all},
		{"AIX: nobody knows", "aix", SetOf(KeepAlive, Idle, Interval, Count), SetOf(KeepAlive, Idle, Interval, Count)},
		{"Windows: nobody knows", "windows", all, all},
	} {
		t.Run(row.rule, func(t *testing.T) {
			assert.Equal(t, row.want.String(), table(t, row.table).NotInherited(row.asked).String())
		})
	}
}

func TestSolarisIsBefore114(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rule, release, version string
		want                   bool
	}{
		{"the first release with TCP_KEEPIDLE", "5.11", "11.4.0.15.0", false},
		{"an update of it", "5.11", "11.4.81.193.1", false},
		{"without more digits", "5.11", "11.4", false},
		{"two digits after the dot are a number", "5.11", "11.10", false},
		{"the release before", "5.11", "11.3", true},
		{"the first of 11", "5.11", "11.0", true},
		{"Solaris 10 has a kernel patch for its version", "5.10", "Generic_150400-65", true},
		{"a later major release", "5.12", "12.0", false},
		{"an unreadable version counts as recent", "5.11", "Generic_150400-65", false},
		{"a bare number is unreadable", "5.11", "11", false},
		{"nothing", "", "", false},
	} {
		t.Run(row.rule, func(t *testing.T) {
			assert.Equal(t, row.want, SolarisIsBefore114(row.release, row.version))
		})
	}
}

// kern.osreldate of the release whose options count seconds, golang/go#65809.
func TestDragonflySecondsSince(t *testing.T) { assert.EqualValues(t, 500702, DragonflySecondsSince) }
