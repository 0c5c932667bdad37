package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestNotesFitTheTerminal: warnings and errors too.
func TestNotesFitTheTerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		last string
	}{
		{[]string{"plan", "--path", "aws-nlb-tcp", "--as", "redis"}, "6s, 3"},
		{[]string{"plan", "--path", "aws-nlb-tcp,nowhere"}, "own"},
		{[]string{"profiles"}, "shows all"},
	} {
		p := openPTY(t)
		p.resize(t, 80, 24)
		stdout := io.Writer(io.Discard)
		if tt.args[0] == "profiles" {
			stdout = p.slave
		}
		Run(commands, tt.args, stdout, p.slave)
		text := p.wait(t, strings.Join(tt.args, " "), tt.last)
		assert.NotRegexp(t, `[^\n]note:`, text, "notes are not in the middle of a line")
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, len([]rune(strings.TrimRight(line, "\r\n"))), 80, line)
		}
	}
}
