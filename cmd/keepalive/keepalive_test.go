package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
)

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"chekc":                          `"chekc" is not understood; see keepalive --help; did you mean check?`,
		"lss":                            "did you mean ls?",
		"plan --pth x":                   "unknown flag: --pth; did you mean --path",
		"--verison":                      "unknown flag: --verison; did you mean --version?",
		"trace --cuont 1":                "did you mean --count?",
		"plan --path aws-nlb":            "did you mean aws-nlb-tcp",
		"plan --path box:60s --as ngnix": "did you mean nginx?",
		"plan --path box:60s --as":       "--as has no value: want one of go, grpc, node, ",
		"plan --path box:60s --as=":      "--as is empty: want one of go, grpc, node, ",
		"plan --path":                    "--path has no value: want a value, or leave the flag out\n",
		"plan --hz":                      "--hz has no value: want a whole number from 24 to 1200\n",
		"ls --pid one":                   "--pid one: want a whole number\n",
		"ls --pid 99999999999999999999":  "--pid 99999999999999999999: the number is out of range",
		"ls --json=perhaps":              "--json perhaps: want true or false\n",
		"watch --interval soon":          `--interval soon: "soon" is not a duration`,
		"trace --port x":                 "--port x: want a whole number\n",
	} {
		code, out, errs := command(strings.Fields(line)...)
		assert.Equal(t, exit.Usage, code, line)
		assert.Empty(t, out, line)
		assert.Contains(t, errs, want, line)
		assert.NotContains(t, errs, "strconv", line)
		assert.NotContains(t, errs, "??", line)
	}
}

// TestHelpFits a terminal of 80 columns.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	lines := [][]string{{"help"}, {"--help"}}
	for _, c := range commands {
		lines = append(lines, []string{c.Name, "--help"}, []string{"help", c.Name})
	}
	for _, args := range lines {
		code, out, errs := command(args...)
		assert.Equal(t, exit.OK, code, "%q: %s", args, errs)
		assert.Contains(t, out, "Flags:", "%q", args)
		for line := range strings.Lines(out) {
			assert.LessOrEqual(t, len(strings.TrimRight(line, "\n")), flags.HelpWidth, "%q: %s", args, line)
		}
	}
}

// Output that nobody gets is an error of every command.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"", "--help", "help ls", "ls --help", "ls --json --help", "--version", "completion bash", "__complete pl",
		"profiles", "profiles --json", "plan --path aws-nlb-tcp", "plan --path aws-nlb-tcp --json",
		"plan --path aws-nlb-tcp --as nginx", "plan --path aws-nlb-tcp --svg -", "plan --path aws-alb",
	} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip("needs /dev/full: ", err)
		}
		var errs bytes.Buffer
		code := cli.Run(commands, strings.Fields(line), full, &errs)
		assert.Equal(t, exit.Problems, code, line)
		assert.Equal(t, 1, strings.Count(errs.String(), "no space left on device"), "%s: %s", line, errs.String())
		require.NoError(t, full.Close())
	}
}

// completions is what a shell would offer, and whether it offers files too.
func completions(t *testing.T, args ...string) (words []string, files bool) {
	t.Helper()
	code, out, errs := command(append([]string{"__completeNoDesc"}, args...)...)
	require.Equal(t, exit.OK, code, errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[:len(lines)-1], !strings.Contains(errs, "ShellCompDirectiveNoFileComp")
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"profiles aws-n":                     "aws-nlb-tcp",
		"profiles nat azure-l":               "azure-lb",
		"plan --path aws-nlb-tcp,azure-l":    "aws-nlb-tcp,azure-lb",
		"check --path azure-l":               "azure-lb",
		"plan --idle-timeout azure-l":        "azure-lb=",
		"plan --path x=1s --as po":           "postgresql",
		"watch --sort ne":                    "next",
		"trace --only rst,pro":               "rst,probe",
		"ls --state time":                    "time-wait",
		"discover example.com:80 --mode ech": "echo",
	} {
		words, files := completions(t, strings.Fields(line)...)
		assert.Contains(t, words, want, line)
		assert.False(t, files, line)
	}
	for line, want := range map[string]bool{
		"plan --svg ":         true,
		"trace --svg ":        true,
		"trace -w ":           true,
		"trace --write ":      true,
		"plan --detect ":      false,
		"plan --hz ":          false,
		"plan ":               false,
		"ls --pid ":           false,
		"ls --peer ":          false,
		"ls ":                 false,
		"check --local ":      false,
		"trace --port ":       false,
		"trace --peer ":       false,
		"watch --interval ":   false,
		"discover ":           false,
		"discover --guess ":   false,
		"demo ":               false,
		"demo --config idle=": false,
	} {
		_, files := completions(t, strings.Split(line, " ")...)
		assert.Equal(t, want, files, line)
	}
}
