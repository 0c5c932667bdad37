package platform_test

import (
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	. "github.com/tcpkeepalive/keepalive/platform"
)

// TestDocumentedWords: the comments of Spec list all words that the tables have.
func TestDocumentedWords(t *testing.T) {
	t.Parallel()
	zeros, calls := map[string]bool{}, map[string]bool{}
	for _, table := range Tables() {
		for _, s := range table.Specs {
			zeros[s.Zero], calls[s.Call] = true, true
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(zeros)), testkit.Documented(t, "Spec.Zero"))
	assert.ElementsMatch(t, slices.Collect(maps.Keys(calls)), testkit.Documented(t, "Spec.Call"))
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
			assert.Equal(t, tbl, found)

			require.NotNil(t, tbl.Spec(KeepAlive))
			for _, o := range options {
				has := slices.IndexFunc(tbl.Specs, func(s Spec) bool { return s.Option == o })
				why, lacks := tbl.Absent[o]
				assert.NotEqual(t, has >= 0, lacks, "%s is either there or absent with a reason", o)
				if has >= 0 {
					assert.Same(t, &tbl.Specs[has], tbl.Spec(o))
				} else {
					assert.Nil(t, tbl.Spec(o))
					assert.NotEmpty(t, why)
				}
			}
			assert.Len(t, options, len(tbl.Specs)+len(tbl.Absent), "an option twice")

			for _, s := range tbl.Specs {
				assert.NotEmpty(t, s.Symbol)
				if s.Min != UnknownLimit && s.Max != UnknownLimit {
					assert.LessOrEqual(t, s.Min, s.Max, "%s", s.Option)
				}
				if s.Call == "" {
					assert.NotZero(t, s.Level, "%s", s.Option)
					assert.LessOrEqual(t, s.Max, int64(math.MaxInt32), "%s: setsockopt takes an int", s.Option)
				}
				isTime := s.Unit > 0
				assert.Equal(t, s.Option != KeepAlive && s.Option != Count, isTime, "%s is counted in %s", s.Option, s.Unit)
			}
			for _, s := range tbl.Specs {
				if s.Needs == KeepAlive {
					assert.Empty(t, s.NeedsWhy)
					continue
				}
				require.NotNil(t, tbl.Spec(s.Needs))
				assert.Equal(t, s.Option, tbl.Spec(s.Needs).Needs, "each needs the other")
				assert.NotEmpty(t, s.NeedsWhy)
				assert.NotEqual(t, tbl.ProbingTime > 0, s.Default > 0, "the missing half must follow from something")
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
	assert.Equal(t, cur, Current(), "the answer does not change")
	if cur.Source != Nothing().Source {
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

// gVisor has the options and limits of Linux. That is why a request is checked and planned
// without asking which of the two runs (internal/running, Limits).
func TestGVisorHasTheOptionsAndLimitsOfLinux(t *testing.T) {
	t.Parallel()
	linux, _ := Lookup("linux")
	gvisor, _ := Lookup("linux-gvisor")
	for i := range linux.Specs {
		linux.Specs[i].Inherited, gvisor.Specs[i].Inherited = Unknown, Unknown
	}
	linux.Name, linux.Title, linux.ListenerSource = gvisor.Name, gvisor.Title, gvisor.ListenerSource
	linux.Notes, linux.Source, linux.ShowsActivity = gvisor.Notes, gvisor.Source, gvisor.ShowsActivity
	assert.Equal(t, linux, gvisor)
}

// Whoever changes a table changes a copy.
func TestTablesAreCopies(t *testing.T) {
	t.Parallel()
	for i, changed := range Tables() {
		for j := range changed.Specs {
			changed.Specs[j] = Spec{}
		}
		for j := range changed.Notes {
			changed.Notes[j] = ""
		}
		clear(changed.Absent)
		again, ok := Lookup(changed.Name)
		require.True(t, ok)
		assert.Equal(t, Tables()[i], again)
		assert.NotEqual(t, changed, again)
		assert.NotNil(t, again.Spec(KeepAlive))
	}
}

func TestSystemWithoutOptions(t *testing.T) {
	t.Parallel()
	nothing := Nothing()
	assert.Equal(t, runtime.GOOS, nothing.Name)
	assert.Empty(t, nothing.Specs)
	assert.Equal(t, Unknown, nothing.ArmsListener)
	assert.NotEmpty(t, nothing.ListenerSource)
}

var options = []Option{KeepAlive, Idle, Interval, Count, UserTimeout}
