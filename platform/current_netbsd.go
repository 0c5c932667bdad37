package platform

import "golang.org/x/sys/unix"

func current() *Table { return &netbsd }

var (
	_ = [1]int{}[bsdSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[bsdSoKeepAlive-unix.SO_KEEPALIVE]
	_ = [1]int{}[bsdSoAcceptConn-unix.SO_ACCEPTCONN]
	_ = [1]int{}[bsdSoReuseAddr-unix.SO_REUSEADDR]
	_ = [1]int{}[bsdTCP-unix.IPPROTO_TCP]
	_ = [1]int{}[netbsdTCPKeepIdle-unix.TCP_KEEPIDLE]
	_ = [1]int{}[netbsdTCPKeepIntvl-unix.TCP_KEEPINTVL]
	_ = [1]int{}[netbsdTCPKeepCnt-unix.TCP_KEEPCNT]
)
