package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// What a command writes into one file must not be lost to what it writes into another,
// which is the same by another name. It is refused before anything is written.
func TestOutputsThatAreTheSameFile(t *testing.T) {
	t.Parallel()
	keepalive := clitest.Program(t)
	// Of port 9 nothing is seen, so nothing that others do decides how it ends.
	trace, plan := keepalive+" trace --port 9 --for 10ms ", keepalive+" plan --path aws-nlb-tcp "
	for line, want := range map[string]string{
		trace + "--write new --svg new":             "--write new and --svg new are the same file",
		trace + "--write new --svg ./new":           "are the same file",
		trace + "--write folder/new --svg away/new": "are the same file",
		trace + "--write file --svg link":           "are the same file",
		trace + "--write file --svg hard":           "are the same file",
		trace + "--write dangling --svg nothing":    "are the same file",
		trace + "--write /dev/stdout --svg - | cat": "are the same file",
		trace + "--write - --svg /dev/stdout >file": "are the same file",
		trace + "--write - --svg link >file":        "are the same file",
		trace + "--write file >file":                "--write file is the file that standard output goes to",
		trace + "--svg file >>link":                 "--svg file is the file that standard output goes to",
		trace + "--write - --svg file 2>file >/dev/null || { code=$?; cat file >&2; exit $code; }": "--svg file is the file that standard error goes to",
		plan + "--svg file >file":            "--svg file is the file that standard output goes to",
		plan + "--as nginx --svg link >file": "--svg link is the file that standard output goes to",
	} {
		errs := inFolder(t, "set -o pipefail; "+line, exit.Usage)
		assert.Contains(t, errs, want, line)
	}
	for _, line := range []string{plan + "--svg /dev/null >/dev/null", plan + "--svg /dev/stdout >file", plan + "--svg new >file", plan + "--svg - >file"} {
		inFolder(t, line, exit.OK)
	}
	if os.Geteuid() == 0 {
		inFolder(t, trace+"--write /dev/null --svg /dev/null >/dev/null", exit.Nothing)
	}
}

// inFolder runs a line of the shell in a folder that has a file with three names.
func inFolder(t *testing.T, line string, want int) (errs string) {
	t.Helper()
	cmd := exec.Command(testkit.Tool(t, "bash"), "-c", "mkdir folder && ln -s folder away && echo before >file && ln -s file link && ln file hard && ln -s nothing dangling && "+line)
	cmd.Dir = t.TempDir()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	cmd.Run()
	assert.Equal(t, want, cmd.ProcessState.ExitCode(), "%s: %s", line, stderr.String())
	return stderr.String()
}
