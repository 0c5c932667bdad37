package sockopt

import (
	"testing"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
)

// NoError is the Cause of the error nil.
const NoError = noError

// WinsockCause reads Winsock's codes; it runs on every system.
func WinsockCause(code uintptr) Cause { return causeIn(winsockCauses, errno(code), true) }

// SwapKernel puts k in the place of the running kernel until the test ends. Such
// a test may not be parallel.
func SwapKernel(t testing.TB, k kernel.Kernel) {
	t.Helper()
	t.Cleanup(socket.Replace(k, nil))
}

// SwapRules puts r in the place of this system's rules until the test ends. Such
// a test may not be parallel.
func SwapRules(t testing.TB, r *kernel.Rules) {
	t.Helper()
	t.Cleanup(socket.Replace(nil, r))
}

// ParseError is what Parse returns.
type ParseError = parseError
