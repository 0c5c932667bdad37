package ls

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// More lines than are kept back: none is lost, and those of IPv4 come first
// among those that were.
func TestTheAlignerKeepsEveryLine(t *testing.T) {
	var out bytes.Buffer
	a := aligner{out: &out}
	const n = 5000
	for i := range n {
		a.begin()
		a.later = i%2 == 1
		var b []byte
		for f := range ssFields {
			b = a.end(fmt.Appendf(b, "%d.%d", i, f))
		}
		a.line = b
		a.finish()
	}
	a.flush()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Len(t, lines, n)
	seen := map[string]bool{}
	late := false
	for i, line := range lines {
		first, _, _ := strings.Cut(line, ".")
		seen[first] = true
		odd := strings.ContainsAny(first[len(first)-1:], "13579")
		if i < 500 {
			late = late || odd
			assert.False(t, late && !odd)
		}
	}
	assert.Len(t, seen, n)
}
