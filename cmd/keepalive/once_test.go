package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

// valueFor is one that a flag takes.
func valueFor(f *pflag.Flag) string {
	switch {
	case f.NoOptDefVal != "":
		return f.NoOptDefVal
	case f.Value.Type() == "time":
		return "60s"
	case f.Value.Type() == "config":
		return "off"
	case f.Value.Type() == "int":
		return "100"
	case f.Value.Type() == "program":
		return "nginx"
	}
	return "text"
}

// Of two values that exclude each other the first must not be dropped in silence.
func TestWhatIsNoListIsGivenOnce(t *testing.T) {
	t.Parallel()
	// Otherwise these would run for long, if they did not refuse it.
	bad := map[string]string{"watch": "--rounds=0", "trace": "--port=0", "discover": "--connections=0"}
	n := 0
	for _, c := range commands {
		c.New().Flags().VisitAll(func(f *pflag.Flag) {
			if strings.HasSuffix(f.Value.Type(), "Slice") || f.Value.Type() == "stringArray" { // a list
				return
			}
			n++
			flag := "--" + f.Name + "=" + valueFor(f)
			code, out, errs := command(append([]string{c.Name, flag, flag}, strings.Fields(bad[c.Name])...)...)
			assert.Equal(t, exit.Usage, code, "%s %s", c.Name, flag)
			assert.Empty(t, out, "%s %s", c.Name, flag)
			assert.Equal(t, "keepalive: --"+f.Name+" "+valueFor(f)+": it was given before, as "+valueFor(f)+": want it once\n", errs, c.Name)
		})
	}
	assert.Greater(t, n, 60)
	for line, want := range map[string]string{
		"ls --pid 1 --pid 2":                              "--pid 2: it was given before, as 1",
		"plan --detect 60 --path aws-nlb-tcp --detect=1h": "--detect 1h: it was given before, as 60",
		"plan --path x=60s --as nginx --as haproxy":       "--as haproxy: it was given before, as nginx",
		"trace -w a --write b --port 0":                   "--write b: it was given before, as a",
		"ls --json --json=false":                          "--json false: it was given before, as true",
		"ls --pid 1 --pid ":                               "--pid is empty",
	} {
		code, _, errs := command(strings.Split(line, " ")...)
		assert.Equal(t, exit.Usage, code, line)
		assert.Contains(t, errs, want, line)
	}
	code, _, errs := command(strings.Fields("plan --path aws-nlb-tcp --path aws-nat-gateway")...)
	assert.NotEqual(t, exit.Usage, code, errs)
}
