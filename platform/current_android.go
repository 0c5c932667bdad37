package platform

import "golang.org/x/sys/unix"

func current() *Table { return &android }

var (
	_ = [1]int{}[linuxSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[linuxSoKeepAlive-unix.SO_KEEPALIVE]
)
