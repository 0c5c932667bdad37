package platform_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/platform"
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
	require.Len(t, Tables(), len(armsListener), "a table without an answer, or the other way round")
	for _, row := range full {
		t.Run(row.table, func(t *testing.T) {
			t.Parallel()
			tbl, ok := Lookup(row.table)
			require.True(t, ok)
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
	assert.Equal(t, Unknown, Nothing.ArmsListener)
	assert.NotEmpty(t, Nothing.ListenerSource)
}

func stepTexts(p Plan) []string {
	var texts []string
	for _, s := range p.Steps() {
		texts = append(texts, s.String())
	}
	return texts
}
