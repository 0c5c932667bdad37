package testkit

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A LeakCheck compares open descriptors and goroutines with those at its start.
// Tests that use it must not run in parallel with others.
type LeakCheck struct{ fds, goroutines int }

// StartLeakCheck counts what is open now.
func StartLeakCheck(t testing.TB) LeakCheck {
	// The first network operation opens descriptors that the runtime never
	// closes.
	Pair(t, "tcp4", "127.0.0.1:0")
	return LeakCheck{OpenFDs(t), runtime.NumGoroutine()}
}

// End fails the test if more is still open after five seconds.
func (l LeakCheck) End(t testing.TB) {
	t.Helper()
	var fds, goroutines int
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		fds, goroutines = OpenFDs(t), runtime.NumGoroutine()
		if fds <= l.fds && goroutines <= l.goroutines {
			return
		}
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("at the start %d descriptors and %d goroutines, now %d and %d\n%s",
		l.fds, l.goroutines, fds, goroutines, stacks[:runtime.Stack(stacks, true)])
}

// OpenFDs returns the number of open descriptors of this process. If the system does not
// list them, it returns 0, and only leaked goroutines are detected.
func OpenFDs(t testing.TB) int {
	var dir string
	switch runtime.GOOS {
	case "linux", "android":
		dir = "/proc/self/fd"
	case "darwin", "ios":
		dir = "/dev/fd"
	default:
		return 0
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	return len(entries)
}
