package platform

import "golang.org/x/sys/unix"

func current() *Table { return &openbsd }

var (
	_ = [1]int{}[bsdSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[bsdSoKeepAlive-unix.SO_KEEPALIVE]
)
