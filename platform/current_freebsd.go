package platform

import "golang.org/x/sys/unix"

func current() *Table { return &freebsd }

var (
	_ = [1]int{}[bsdSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[bsdSoKeepAlive-unix.SO_KEEPALIVE]
	_ = [1]int{}[bsdSoAcceptConn-unix.SO_ACCEPTCONN]
	_ = [1]int{}[bsdSoReuseAddr-unix.SO_REUSEADDR]
	_ = [1]int{}[bsdTCP-unix.IPPROTO_TCP]
	_ = [1]int{}[freebsdTCPKeepIdle-unix.TCP_KEEPIDLE]
	_ = [1]int{}[freebsdTCPKeepIntvl-unix.TCP_KEEPINTVL]
	_ = [1]int{}[freebsdTCPKeepCnt-unix.TCP_KEEPCNT]
)
