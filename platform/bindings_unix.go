//go:build unix && !linux

package platform

import "golang.org/x/sys/unix"

// A number in the tables that differs from the system's own headers, as
// golang.org/x/sys has them, does not compile, here and in the other
// bindings_*.go. This file checks the numbers that the tables share.
var (
	_ = [1]int{}[bsdSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[bsdSoKeepAlive-unix.SO_KEEPALIVE]
	_ = [1]int{}[bsdTCP-unix.IPPROTO_TCP]
)
