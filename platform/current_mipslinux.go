//go:build linux && (mips || mipsle || mips64 || mips64le)

package platform

import "golang.org/x/sys/unix"

func current() *Table { return &linuxMIPS }

var (
	_ = [1]int{}[linuxMIPSSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[linuxMIPSSoKeepAlive-unix.SO_KEEPALIVE]
)
