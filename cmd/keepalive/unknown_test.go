package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

// The help of a command that does not exist is none.
func TestUnknownCommands(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"foo", "--help"}, `"foo" is not understood`},
		{[]string{"help", "foo"}, `"foo" is not understood`},
		{[]string{"help", "plam"}, "did you mean plan?"},
		{[]string{"completion", "foo"}, `"foo" is not understood`},
		{[]string{"help", "ls", "x"}, `"x" is not understood`},
		{[]string{"help", "help", "x"}, `"x" is not understood`},
		{[]string{"help", "completion", "x"}, `"x" is not understood`},
		{[]string{"help", "completion", "bsh"}, "did you mean bash"},
		{[]string{"help", "completion", "bash", "x"}, `"x" is not understood`},
		{[]string{"completion", "bash", "x"}, `"x" is not understood`},
		{[]string{"--help", "foo"}, `"foo" is not understood`},
		{[]string{"-h", "plam"}, "did you mean plan?"},
		{[]string{"version"}, "did you mean --version?"},
		{[]string{"lss"}, "did you mean ls?"},
	} {
		code, out, errs := command(tt.args...)
		assert.Equal(t, exit.Usage, code, tt.args)
		assert.Empty(t, out, tt.args)
		assert.Contains(t, errs, tt.want, tt.args)
	}
	for _, args := range [][]string{{"help"}, {"help", "ls"}, {"completion"}, {"completion", "bash"}, {"completion", "--help"}, {"help", "completion"}, {"help", "completion", "bash"}, {"help", "help"}, {"-h", "ls"}, {"completion", "zsh", "--no-descriptions"}, {"__complete", "l"}} {
		code, out, errs := command(args...)
		assert.Equal(t, exit.OK, code, "%s: %s", args, errs)
		assert.NotEmpty(t, out, args)
	}
}
