package alike_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"aws-alb", "aws-nlb-tcp", "azure-lb", "check", "watch"}
	for word, want := range map[string][]string{
		"aws-abl":   {"aws-alb"},
		"nlb":       {"aws-nlb-tcp"},
		"AWS-ALB":   {"aws-alb"},
		"chekc":     {"check"},
		"something": nil,
	} {
		assert.Equal(t, want, alike.Nearest(word, names), word)
	}
	assert.Len(t, alike.Nearest("a", names), 3)
}

func TestMistyped(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		word, name string
		want       bool
	}{
		{"aws-abl", "aws-alb", true},
		{"AWS-ALB", "aws-alb", true},
		{"aws-nlb-tpc", "aws-nlb-tcp", true},
		{"aws-nlb", "aws-nlb-tcp", false}, // 4 of 7
		{"x", "y", false},
		{"", "", true},
	} {
		assert.Equal(t, row.want, alike.Mistyped(row.word, row.name), row.word)
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"abl", "alb", 2}, {"same", "same", 0}} {
		assert.Equal(t, row.want, alike.Distance(row.a, row.b), row.a)
	}
}

func TestQuestion(t *testing.T) {
	t.Parallel()
	assert.Empty(t, alike.Question(nil))
	assert.Equal(t, "; did you mean a, b?", alike.Question([]string{"a", "b"}))
}
