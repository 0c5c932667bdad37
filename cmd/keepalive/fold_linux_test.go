package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
)

// TestNotesFitTheTerminal: warnings and errors too.
func TestNotesFitTheTerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		last string
	}{
		{[]string{"plan", "--path", "aws-alb", "--as", "nginx"}, "connection"},
		{[]string{"plan", "--path", "aws-nlb-tcp,nowhere"}, "own"},
		{[]string{"profiles"}, "shows all"},
	} {
		p := clitest.OpenPTY(t)
		p.Resize(t, 80, 24)
		stdout := io.Writer(io.Discard)
		if tt.args[0] == "profiles" {
			stdout = p.Slave
		}
		cli.Run(commands, tt.args, stdout, p.Slave)
		text := p.Wait(t, strings.Join(tt.args, " "), tt.last)
		assert.NotRegexp(t, `[^\n]note:`, text, "notes are not in the middle of a line")
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, len([]rune(strings.TrimRight(line, "\r\n"))), 80, line)
		}
	}
}
