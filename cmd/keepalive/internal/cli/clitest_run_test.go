package cli

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// runOf runs a program that has these commands, without a process around it.
func runOf(commands []Command, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Run(commands, args, &out, &errs)
	return code, out.String(), errs.String()
}

// ending is runOf where the exit code is known.
func ending(t *testing.T, commands []Command, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	code, out, errs := runOf(commands, args...)
	require.Equal(t, want, code, "%q: %s%s", args, out, errs)
	return out, errs
}
