package testkit

import (
	"fmt"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// InChildWithoutCaps is InChild with a child that runs as root but lacks some
// capabilities, as in a container.
func InChildWithoutCaps(t *testing.T, caps ...uintptr) bool {
	t.Helper()
	if IsChild(t) {
		return true
	}
	Root(t)
	return InChild(t, func(*exec.Cmd) {
		runtime.LockOSThread() // the thread ends with the test, because its capabilities cannot be restored
		for _, c := range caps {
			err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
			Need(t, err == nil, fmt.Sprintf("needs to drop capabilities: %v", err))
		}
	})
}
