package alike_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"aws-alb", "aws-nlb-tcp", "azure-lb", "check", "watch", "ls", "fix"}
	for word, want := range map[string][]string{
		"aws-abl":   {"aws-alb"},
		"nlb":       {"aws-nlb-tcp"},
		"AWS-ALB":   {"aws-alb"},
		"chekc":     {"check"},
		"fax":       {"fix"},
		"wtach":     {"watch"},
		"something": nil,
		"xy":        nil,
		"sl":        nil, // of two letters none may be wrong
		"foo":       nil, // of three, one
		"bathe":     nil, // of five, one
		"":          nil,
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
		{"xy", "xz", false},
		{"foo", "fix", false},
		{"fox", "fix", true},
		{"", "", true},
	} {
		assert.Equal(t, row.want, alike.Mistyped(row.word, row.name), row.word)
	}
}

func TestQuestion(t *testing.T) {
	t.Parallel()
	assert.Empty(t, alike.Question(nil))
	assert.Equal(t, "; did you mean a, b?", alike.Question([]string{"a", "b"}))
}
