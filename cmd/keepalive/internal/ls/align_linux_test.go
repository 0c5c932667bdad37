package ls

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// More lines than are kept back: none is lost, and those of IPv4 come first among those
// that were kept together.
func TestTheAlignerKeepsEveryLine(t *testing.T) {
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	a := aligner{out: w}
	const n = 5000
	for i := range n {
		b := a.begin(i%2 == 1)
		for f := range ssFields {
			b = a.end(fmt.Appendf(b, "%d.%d", i, f))
		}
	}
	a.flush()
	require.NoError(t, w.Flush())
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
