package discover

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A kernel that does not show what was received shows no answer to a probe either: each
// connection would count as dead. That is so in gVisor, whose GOOS is linux.
func TestProbeNeedsAKernelThatShowsTheAnswer(t *testing.T) {
	t.Parallel()
	shows := map[string]bool{"linux": true, "linux-mips": true, "android": true}
	for _, table := range platform.Tables() {
		rules := kernel.RulesOf(table)
		if shows[table.Name] {
			assert.NoError(t, Probe.possible(rules), table.Name)
		} else {
			err := Probe.possible(rules)
			assert.ErrorIs(t, err, errors.ErrUnsupported, table.Name)
			assert.ErrorContains(t, err, table.Title, table.Name)
		}
		assert.NoError(t, Echo.possible(rules), table.Name)
		assert.NoError(t, HTTP("x").possible(rules), table.Name)
	}
}
