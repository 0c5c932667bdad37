package sockopt

import (
	"testing"

	"github.com/tcpkeepalive/keepalive/platform"
)

// MaxUnwrap is how many connections wrapped in each other are looked through.
const MaxUnwrap = maxUnwrap

// WindowsCause reads Winsock's codes; it runs on every system.
var WindowsCause = windowsCause

// SwapKernel puts k in the place of the running kernel until the test ends. Such
// a test may not be parallel.
func SwapKernel(t testing.TB, k platform.Kernel) {
	t.Helper()
	old := kernel
	kernel = k
	t.Cleanup(func() { kernel = old })
}

// SwapTable puts t in the place of this system's table until the test ends. Such
// a test may not be parallel.
func SwapTable(tb testing.TB, t *platform.Table) {
	tb.Helper()
	old := current
	current = func() *platform.Table { return t }
	tb.Cleanup(func() { current = old })
}
