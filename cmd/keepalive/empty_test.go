package main

import (
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

// TestEmptyValuesAreRefused: --svg "$FILE" with a FILE that is not set is a mistake, and
// --peer "$DB" would list everything.
func TestEmptyValuesAreRefused(t *testing.T) {
	t.Parallel()
	needed := map[string][]string{
		"check": {"--path", "aws-alb"}, "plan": {"--path", "aws-nlb-tcp"}, "discover": {"127.0.0.1:1"},
		"trace": {"--count", "1", "--for", "10ms"}, "watch": {"--rounds", "1"},
	}
	n := 0
	for _, c := range commands {
		c.New().Flags().VisitAll(func(f *pflag.Flag) {
			for _, args := range [][]string{
				{"--" + f.Name, ""},
				{"--" + f.Name + "="},
			} {
				if f.NoOptDefVal != "" && len(args) == 2 {
					continue // it takes no next argument
				}
				n++
				args = append(append([]string{c.Name}, needed[c.Name]...), args...)
				code, out, errs := command(args...)
				assert.Equal(t, exit.Usage, code, "%q", args)
				assert.Empty(t, out, "%q", args)
				assert.Regexp(t, `^keepalive: --`+f.Name+` is empty: \S.*\n$`, errs, "%q", args)
			}
		})
	}
	assert.Greater(t, n, 80)

	// Neither after another, nor as an argument.
	for _, args := range [][]string{{"ls", "--peer", ":1", "--peer", ""}, {"profiles", ""}, {"profiles", "aws", ""}, {"discover", ""}} {
		code, out, errs := command(args...)
		assert.Equal(t, exit.Usage, code, "%q", args)
		assert.Empty(t, out, "%q", args)
		assert.NotEmpty(t, errs, "%q", args)
	}
}
