package platform

import "golang.org/x/sys/unix"

// These numbers are also checked on illumos; the numbers of its other options
// are in bindings_keepidle.go. Those of Solaris 11.4 cannot be compared: x/sys
// has the numbers of illumos under their names.
var (
	_ = [1]int{}[sysvTCPAbortThreshold-unix.TCP_ABORT_THRESHOLD]
	_ = [1]int{}[sysvTCPKeepAliveThreshold-unix.TCP_KEEPALIVE_THRESHOLD]
	_ = [1]int{}[sysvTCPKeepAliveAbortThreshold-unix.TCP_KEEPALIVE_ABORT_THRESHOLD]
)
