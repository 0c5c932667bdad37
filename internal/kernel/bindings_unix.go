//go:build unix && !linux

package kernel

import "golang.org/x/sys/unix"

// A number that differs from the system's own headers does not compile.
var (
	_ = [1]int{}[solSocket-unix.SOL_SOCKET]
	_ = [1]int{}[soAcceptConn-unix.SO_ACCEPTCONN]
	_ = [1]int{}[protocolTCP-unix.IPPROTO_TCP]
	_ = [1]int{}[tcpNoDelay-unix.TCP_NODELAY]
)
