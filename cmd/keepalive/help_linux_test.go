package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

func TestWrongUse(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"ls extra", `"extra" is not understood; see keepalive ls --help`},
		{"ls --state sleeping", `--state "sleeping": want one of all, bound, close-wait`},
		{"ls --peer localhost:80", `--peer "localhost:80": "localhost" is neither an IP address nor a prefix`},
		{"ls --local 1.2.3.4:99999", `port "99999" is not a number from 1 to 65535`},
		{"ls --pid 0", "--pid 0: a process number is greater than 0"},
		{"watch --pid 0", "--pid 0: a process number is greater than 0"},
		{"check --path aws-nlb-tcp --pid 0", "--pid 0: a process number is greater than 0"},
		{"ls --netns x --all-netns", "--netns and --all-netns exclude each other"},
		{"ls --netns=", "--netns is empty"},
		{"ls --netns /dev/null", "/dev/null is not a network namespace"},
		{"ls --pid -3", "--pid -3: a process number is greater than 0"},
		{"ls --pid x", "--pid x: want a whole number"},
		{"ls --ss --json", "--json and --ss exclude each other"},
		{"ls --listening --state all", "--listening and --state exclude each other"},
		{"ls -4 -6", "--ipv4 and --ipv6 exclude each other"},
		{"ls --process", "--process and --extended are for --ss"},
		{"ls --bogus", "unknown flag"},
		{"watch --interval 1ms", "--interval 1ms: the shortest is 100ms"},
		{"watch --rounds 0", "--rounds 0: want 1 or more; without it watch does not end"},
		{"watch --interval 0", "--interval 0s: the shortest is 100ms"},
		{"watch --interval -5s", "--interval"},
		{"watch --sort nxt", "did you mean next"},
		{"watch --rounds -1", "--rounds -1: want 1 or more"},
		{"watch --sort size", `--sort "size": want none, next, timer, probes`},
		{"watch --state x", `--state "x"`},
		{"watch me", "is not understood"},
	} {
		code, out, errs := command(strings.Fields(row.line)...)
		assert.Equal(t, exit.Usage, code, row.line)
		assert.Empty(t, out, row.line)
		assert.Contains(t, errs, row.want, row.line)
	}
}

func TestHelpAndCompletion(t *testing.T) {
	_, help, _ := command("--help")
	for _, want := range []string{"demo", "ls ", "watch", "completion", exit.Codes} {
		assert.Contains(t, help, want)
	}
	for _, name := range []string{"ls", "watch"} {
		code, help, _ := command(name, "--help")
		assert.Equal(t, exit.OK, code)
		assert.Contains(t, help, "Examples:")
		assert.Contains(t, help, "Exit codes, the same for every command:")
	}
	code, script, _ := command("completion", "bash")
	assert.Equal(t, exit.OK, code)
	assert.Contains(t, script, "keepalive")
	_, states, _ := command("__complete", "ls", "--state", "")
	assert.Contains(t, states, "established\n")
	_, keys, _ := command("__complete", "watch", "--sort", "")
	assert.Contains(t, keys, "next\n")
}
