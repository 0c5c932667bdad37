package plan

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
)

// TestPlansFitATerminal of 80 columns, and lose no word of what a pipe gets.
func TestPlansFitATerminal(t *testing.T) {
	t.Parallel()
	n := 0
	for _, p := range new(align.Catalog).Profiles() {
		r := align.Request{Path: []align.Profile{p}}
		plan, err := r.Plan()
		if err != nil {
			continue // it has no timeout, or none to plan for
		}
		n++
		var whole, folded strings.Builder
		printPlan(&whole, 80, r, plan, newTimeline(r, plan))
		require.NoError(t, terminal.Fold(&folded, whole.String(), 80))
		assert.Equal(t, strings.Fields(whole.String()), strings.Fields(folded.String()))
		for line := range strings.Lines(folded.String()) {
			if len(strings.Fields(line)) > 1 { // a word alone has no place to break
				assert.LessOrEqual(t, len(strings.TrimRight(line, "\n")), 80, "%s: %s", p.ID, line)
			}
		}
	}
	assert.Greater(t, n, 20)
}

// TestNarrowPlans have no picture where it would be broken, and the settings, which are
// there to be copied, are never cut.
func TestNarrowPlans(t *testing.T) {
	t.Parallel()
	path, err := align.Path("aws-nlb-tcp")
	require.NoError(t, err)
	r := align.Request{Path: path}
	plan, err := r.Plan()
	require.NoError(t, err)
	for width, picture := range map[int]bool{30: false, 40: false, 44: false, 45: true, 60: true, 80: true, 0: true} {
		var whole, folded strings.Builder
		printPlan(&whole, width, r, plan, newTimeline(r, plan))
		require.NoError(t, terminal.Fold(&folded, whole.String(), width))
		assert.True(t, strings.HasPrefix(folded.String(), plan.Config.String()+"\n"), "%d columns", width)
		assert.Equal(t, picture, strings.Contains(folded.String(), "  |.."), "%d columns", width)
		assert.NotContains(t, folded.String(), "\n\n\n", "%d columns", width)
		for line := range strings.Lines(folded.String()) {
			if strings.HasPrefix(line, "probe ") {
				assert.Contains(t, line, "X", "%d columns: the bar is beside its label", width)
			}
		}
	}
}
