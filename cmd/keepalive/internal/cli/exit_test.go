package cli

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	plain := errors.New("disk full")
	usage, denied := usageError(errors.New("bad flag")), deniedError(errors.New("not root"))
	nothing, unknown := nothingError(errors.New("no such peer")), unknownError(errors.New("no idea"))
	for rule, row := range map[string]struct {
		err  error
		code int
		text string
	}{
		"nothing wrong":                 {nil, 0, ""},
		"any other error is a problem":  {plain, 1, "keepalive: disk full\n"},
		"already printed":               {errProblems, 1, ""},
		"a word around it":              {fmt.Errorf("ls: %w", denied), 3, "keepalive: ls: not root\n"},
		"wrong use before a problem":    {several(plain, usage), 2, "keepalive: disk full\nkeepalive: bad flag\n"},
		"a problem before a permission": {several(denied, errProblems), 1, "keepalive: not root\n"},
		"a permission before unknown":   {several(unknown, nothing, denied), 3, "keepalive: no idea\nkeepalive: no such peer\nkeepalive: not root\n"},
		"unknown before nothing":        {several(nothing, unknown), 5, "keepalive: no such peer\nkeepalive: no idea\n"},
		"nothing":                       {nothing, 4, "keepalive: no such peer\n"},
		"said, with its own code":       {said(nothing), 4, ""},
		"several in a word around it":   {fmt.Errorf("ls: %w", several(denied, plain)), 1, "keepalive: ls: not root\ndisk full\n"},
		"some of several are several":   {several(several(denied, nil), several(plain, unknown)), 1, "keepalive: not root\nkeepalive: disk full\nkeepalive: no idea\n"},
		"two causes in two lines":       {fmt.Errorf("%w\n%w", denied, plain), 1, "keepalive: not root\ndisk full\n"},
		"two causes in one sentence":    {fmt.Errorf("%w; %w", denied, plain), 1, "keepalive: not root; disk full\n"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			var printed bytes.Buffer
			printError(&printed, row.err)
			assert.Equal(t, row.code, exitCode(row.err))
			assert.Equal(t, row.text, printed.String())
		})
	}
}
