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
