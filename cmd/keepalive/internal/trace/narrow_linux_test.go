package trace

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// On a terminal the process is left out first, then the middle of an address; the port
// stays. A pipe gets everything.
func TestTraceFitsATerminal(t *testing.T) {
	t.Parallel()
	const from, to = "*10.23.45.67:51234 postgres[12345]", "10.23.145.167:5432"
	for _, netns := range []string{"", "blue", "4026531840", "/proc/12345/fd/7"} {
		for columns, want := range map[int][]string{
			0:   {from, to},
			200: {from, to},
			130: {from[:len("*10.23.45.67:51234")], to},
			90:  {":51234", ":5432", "15:04:05", "probe 2", "15.001s", "interval 15s"},
			80:  {":51234", ":5432", "15:04:05", "probe 2", "15.001s", "interval 15s"},
			60:  {":51234", ":5432", "15:04:05", "probe 2"},
			50:  {":51234", ":5432", "probe 2"},
			40:  {":51234", ":5432", "probe 2"}, 36: {":51234", ":5432", "probe 2"},
		} {
			var b strings.Builder
			o := &options{}
			o.NetNS = netns
			s := newPrinter(o, &b, []*scene{{netns: netns}}, nil, nil)
			if columns > 0 {
				s.form.limitTo(columns)
			}
			require.NoError(t, s.begin())
			s.line(lineCells{netns, "15:04:05.000000", from, to, "probe 2", "15.001s", "interval 15s"})
			s.line(lineCells{netns, "15:04:05.000000", from, to, "window probe 12", "7200.001s", "interval 7200s"})
			s.line(lineCells{netns, "15:04:05.000000", to, to, "retransmission", "0.200s", ""})
			require.NoError(t, s.out.Flush())
			for _, part := range want {
				assert.Contains(t, b.String(), part, "%d", columns)
			}
			for line := range strings.Lines(b.String()) {
				if columns > 0 {
					assert.LessOrEqual(t, len(strings.TrimRight(line, "\n")), columns, line)
				}
			}
		}
	}
}
