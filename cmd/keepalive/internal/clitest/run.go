// Package clitest is what the tests of the commands share.
package clitest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
)

// Run runs a program that has these commands, without a process around it.
func Run(commands []cli.Command, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = cli.Run(commands, args, &out, &errs)
	return code, out.String(), errs.String()
}

// Ending is Run where the exit code is known.
func Ending(t *testing.T, commands []cli.Command, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	code, out, errs := Run(commands, args...)
	require.Equal(t, want, code, "%q: %s%s", args, out, errs)
	return out, errs
}
