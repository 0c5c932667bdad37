package kernel_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
)

// armsListener was written down while reading the kernels, not copied from the
// tables.
var armsListener = map[string]Answer{
	"linux": No, "linux-mips": No, "android": No, "linux-gvisor": No,
	"freebsd": No, "openbsd": No,
	"darwin": Yes, "ios": Yes, "netbsd": Yes, "illumos": Yes,
	"dragonfly": Unknown, "dragonfly-before-5.8": Unknown,
	"solaris": Unknown, "solaris-before-11.4": Unknown, "aix": Unknown,
	"windows": Unknown, "windows-before-1709": Unknown,
}

// A timer on a listening socket ends it on some systems. Where that is not known
// to be harmless, nothing is set before accept, and everything after it.
func TestStepsOnAListeningSocket(t *testing.T) {
	t.Parallel()
	require.Len(t, all(), len(armsListener), "a table without an answer, or the other way round")
	for _, row := range full {
		t.Run(row.table, func(t *testing.T) {
			t.Parallel()
			tbl := table(t, row.table)
			want, ok := armsListener[row.table]
			require.True(t, ok)
			assert.Equal(t, want, tbl.ArmsListener)
			assert.NotEmpty(t, tbl.ListenerSource)

			plan, faults := tbl.Plan(row.request)
			require.Empty(t, faults)
			before := plan.Only(tbl.OnListener(plan.Carries()))
			after := plan.Only(tbl.NotInherited(plan.Carries()))
			if want != No {
				assert.Empty(t, before.Steps(), "steps on the listening socket")
				assert.Equal(t, row.calls, stepTexts(after), "steps on the accepted one")
				assert.Contains(t, tbl.ListenerHarm(), tbl.Title)
				assert.Contains(t, tbl.ListenerHarm(), tbl.ListenerSource)
				return
			}
			assert.Equal(t, row.calls, stepTexts(before))
			assert.Empty(t, tbl.ListenerHarm())
		})
	}
}

func stepTexts(p Plan) []string {
	var texts []string
	for _, s := range p.Steps() {
		texts = append(texts, s.String())
	}
	return texts
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
