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
