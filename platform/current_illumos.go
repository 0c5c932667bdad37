package platform

import "golang.org/x/sys/unix"

func current() *Table { return &illumos }

var (
	_ = [1]int{}[sysvSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[sysvSoKeepAlive-unix.SO_KEEPALIVE]
	_ = [1]int{}[bsdSoAcceptConn-unix.SO_ACCEPTCONN]
	_ = [1]int{}[bsdSoReuseAddr-unix.SO_REUSEADDR]
	_ = [1]int{}[sysvTCP-unix.IPPROTO_TCP]
	_ = [1]int{}[sysvTCPAbortThreshold-unix.TCP_ABORT_THRESHOLD]
	_ = [1]int{}[illumosTCPKeepIdle-unix.TCP_KEEPIDLE]
	_ = [1]int{}[illumosTCPKeepIntvl-unix.TCP_KEEPINTVL]
	_ = [1]int{}[illumosTCPKeepCnt-unix.TCP_KEEPCNT]
)
