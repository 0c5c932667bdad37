package terminal

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for want, tt := range map[string]struct {
		text  string
		width int
	}{
		"a b c d\n":              {"a b c d\n", 0},
		"a b\n  c\n  d\n":        {"a b c d\n", 3},
		"  - aa\n    bb\n\nxx\n": {"  - aa bb\n\nxx\n", 7},
		"  longer\n    word\n":   {"  longer word\n", 4},
	} {
		var b strings.Builder
		require.NoError(t, Fold(&b, tt.text, tt.width))
		assert.Equal(t, want, b.String())
	}
}
