package exit

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
	usage, denied := UsageError(errors.New("bad flag")), DeniedError(errors.New("not root"))
	nothing, unknown := NothingError(errors.New("no such peer")), UnknownError(errors.New("no idea"))
	for rule, row := range map[string]struct {
		err  error
		code int
		text string
	}{
		"nothing wrong":                 {nil, 0, ""},
		"any other error is a problem":  {plain, 1, "keepalive: disk full\n"},
		"of the library":                {fmt.Errorf("--path: %w", errors.New("align: no profile")), 1, "keepalive: --path: no profile\n"},
		"of the library alone":          {errors.New("sockopt: platform: no"), 1, "keepalive: no\n"},
		"already printed":               {ErrProblems, 1, ""},
		"a word around it":              {fmt.Errorf("ls: %w", denied), 3, "keepalive: ls: not root\n"},
		"wrong use before a problem":    {Join(plain, usage), 2, "keepalive: disk full\nkeepalive: bad flag\n"},
		"a problem before a permission": {Join(denied, ErrProblems), 1, "keepalive: not root\n"},
		"a permission before unknown":   {Join(unknown, nothing, denied), 3, "keepalive: no idea\nkeepalive: no such peer\nkeepalive: not root\n"},
		"unknown before nothing":        {Join(nothing, unknown), 5, "keepalive: no such peer\nkeepalive: no idea\n"},
		"nothing":                       {nothing, 4, "keepalive: no such peer\n"},
		"said, with its own code":       {Said(nothing), 4, ""},
		"several in a word around it":   {fmt.Errorf("ls: %w", Join(denied, plain)), 1, "keepalive: ls: not root\ndisk full\n"},
		"some of several are several":   {Join(Join(denied, nil), Join(plain, unknown)), 1, "keepalive: not root\nkeepalive: disk full\nkeepalive: no idea\n"},
		"two causes in two lines":       {fmt.Errorf("%w\n%w", denied, plain), 1, "keepalive: not root\ndisk full\n"},
		"two causes in one sentence":    {fmt.Errorf("%w; %w", denied, plain), 1, "keepalive: not root; disk full\n"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			var printed bytes.Buffer
			Print(&printed, row.err)
			assert.Equal(t, row.code, Code(row.err))
			assert.Equal(t, row.text, printed.String())
		})
	}
}
