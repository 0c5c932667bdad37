package testkit

import (
	"os"
	"os/exec"
	"testing"
)

// Strict is the environment variable that turns skips into failures.
const Strict = "KEEPALIVE_TEST_STRICT"

// LongTests is the environment variable that enables tests that take long.
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

// Root requires the privileges of root.
func Root(t testing.TB) {
	t.Helper()
	Need(t, os.Geteuid() == 0, "needs root")
}

// Tool requires a program and returns its path.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	Need(t, err == nil, "needs the program "+name)
	return path
}

// Long is for a test that takes more than a few seconds, however fast the
// machine is. The whole of go test must finish within a minute, so the test
// skips even in strict mode; the stage long of .ci/run sets [LongTests].
func Long(t testing.TB) {
	t.Helper()
	if !LongTestsRun() {
		t.Skip("takes long: " + LongTests + "=1 runs it")
	}
}

// LongTestsRun reports whether long tests are enabled, for a test that then runs
// longer.
func LongTestsRun() bool { return os.Getenv(LongTests) == "1" }
