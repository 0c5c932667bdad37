package table

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for n, want := range []string{"", "A", "A and B", "A, B and C"} {
		assert.Equal(t, want, Words([]string{"A", "B", "C"}[:n]))
	}
}
