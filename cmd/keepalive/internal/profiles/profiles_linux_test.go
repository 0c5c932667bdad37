package profiles

import (
	"bytes"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
)

// A terminal of any width has the whole name, which is to be typed, the timeout, and
// whether probes help.
func TestProfilesFitTheTerminal(t *testing.T) {
	t.Parallel()
	all := new(align.Catalog).Profiles()
	for _, width := range []uint16{36, 40, 60, 67, 68, 80, 120, 200} {
		p := clitest.OpenPTY(t)
		p.Resize(t, width, 40)
		var errs bytes.Buffer
		require.NoError(t, profilesTable(p.Slave, &errs, all))
		_, err := p.Slave.WriteString("the end")
		require.NoError(t, err)
		text := strings.ReplaceAll(strings.TrimSuffix(p.Wait(t, "the table", "the end"), "the end"), "\r", "")
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, ansi.StringWidth(strings.TrimSuffix(line, "\n")), int(width), "%d: %s", width, line)
		}
		for _, profile := range all {
			assert.Contains(t, text, profile.ID)
		}
		for _, want := range []string{"IDLE-TIMEOUT", "PROBES", "9000s (from memory)", "yes (from memory)"} {
			assert.Contains(t, strings.Join(strings.Fields(text), " "), want, width)
		}
	}
}
