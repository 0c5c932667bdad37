//go:build linux && !android && !mips && !mipsle && !mips64 && !mips64le

package platform

import "golang.org/x/sys/unix"

func current() *Table { return &linux }

// A number that differs from the kernel's headers does not compile.
var (
	_ = [1]int{}[linuxSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[linuxSoKeepAlive-unix.SO_KEEPALIVE]
)
