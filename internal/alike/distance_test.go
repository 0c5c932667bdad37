package alike

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"abl", "alb", 1}, {"ca", "abc", 3}, {"same", "same", 0}} {
		assert.Equal(t, row.want, distance(row.a, row.b), row.a)
	}
}
