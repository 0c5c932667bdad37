// Package testenv decides what a test does when the machine lacks something
// that it needs: it skips with the reason, but fails where the machine was
// prepared so that nothing may be missing. A test that takes long skips too,
// unless somebody asked for those.
package testenv

import (
	"os"
	"os/exec"
	"testing"
)

// Strict is the environment variable that turns skips into failures.
const Strict = "KEEPALIVE_TEST_STRICT"

// LongTests is the environment variable that lets tests run that take long.
const LongTests = "KEEPALIVE_TEST_LONG"

// Need skips the test unless ok; in strict mode it fails.
func Need(t testing.TB, ok bool, why string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv(Strict) == "1":
		t.Fatalf("%s=1, so this may not be skipped: %s", Strict, why)
	default:
		t.Skip(why)
	}
}

// Root needs the privileges of root.
func Root(t testing.TB) {
	t.Helper()
	Need(t, os.Geteuid() == 0, "needs root")
}

// Tool needs a program and returns its path.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	Need(t, err == nil, "needs the program "+name)
	return path
}

// Long is for a test that takes more than a few seconds, however fast the machine
// is. go test of everything is to be done within a minute, so it skips also in
// strict mode; the stage long of .ci/run sets [LongTests].
func Long(t testing.TB) {
	t.Helper()
	if !LongTestsRun() {
		t.Skip("takes long: " + LongTests + "=1 runs it")
	}
}

// LongTestsRun is for a test that goes on for longer then.
func LongTestsRun() bool { return os.Getenv(LongTests) == "1" }
