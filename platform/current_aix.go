package platform

import "golang.org/x/sys/unix"

func current() *Table { return &aix }

var (
	_ = [1]int{}[aixSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[aixSoKeepAlive-unix.SO_KEEPALIVE]
	_ = [1]int{}[bsdSoAcceptConn-unix.SO_ACCEPTCONN]
	_ = [1]int{}[bsdSoReuseAddr-unix.SO_REUSEADDR]
	_ = [1]int{}[aixTCP-unix.IPPROTO_TCP]
	_ = [1]int{}[aixTCPKeepIdle-unix.TCP_KEEPIDLE]
	_ = [1]int{}[aixTCPKeepIntvl-unix.TCP_KEEPINTVL]
	_ = [1]int{}[aixTCPKeepCnt-unix.TCP_KEEPCNT]
)
