package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTraceFitsATerminal: the process is left out first, then the middle of an address;
// the port stays. A pipe gets all.
func TestTraceFitsATerminal(t *testing.T) {
	t.Parallel()
	const from, to = "*10.23.45.67:51234 postgres[12345]", "10.23.145.167:5432"
	for columns, want := range map[int][]string{
		0:   {from, to},
		200: {from, to},
		110: {"*10.23.45.67:51234  ", to},
		90:  {"*10.2~45.67:51234  ", "10.23.~5.167:5432  "},
		80:  {"*10~67:51234  ", "10.~167:5432  "},
	} {
		var b strings.Builder
		s := newShower(&traceOptions{}, &b, nil, nil)
		if columns > 0 {
			s.limitTo(columns)
		}
		require.NoError(t, s.begin())
		s.line("", "15:04:05.000000", from, to, "probe 2", "15.001s", "interval 15s")
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
