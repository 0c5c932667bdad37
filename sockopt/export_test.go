package sockopt

import (
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/platform"
)

// NoError is the Cause of the error nil.
const NoError = noError

// WinsockCause reads Winsock's codes; it runs on every system.
func WinsockCause(code uintptr) Cause { return causeIn(winsockCauses, errno(code), true) }

// SetOn is Set on another system.
func SetOn(o socket.OS, c any, cfg Config) error { return set(o, c, cfg) }

// VerifyOn is Verify on another system.
func VerifyOn(o socket.OS, c any, cfg Config) error { return verify(o, c, cfg) }

// GetOn is Get on another system.
func GetOn(o socket.OS, c any) (platform.Settings, error) { return get(o, c) }

// ParseError is what Parse returns.
type ParseError = parseError
