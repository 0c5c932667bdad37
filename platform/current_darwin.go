package platform

import (
	"runtime"

	"golang.org/x/sys/unix"
)

func current() *Table {
	if runtime.GOOS == "ios" {
		return &ios
	}
	return &darwin
}

var (
	_ = [1]int{}[bsdSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[bsdSoKeepAlive-unix.SO_KEEPALIVE]
	_ = [1]int{}[bsdSoAcceptConn-unix.SO_ACCEPTCONN]
	_ = [1]int{}[bsdSoReuseAddr-unix.SO_REUSEADDR]
	_ = [1]int{}[darwinTCPConnectionInfo-unix.TCP_CONNECTION_INFO]
	_ = [1]int{}[bsdTCP-unix.IPPROTO_TCP]
	_ = [1]int{}[darwinTCPKeepAlive-unix.TCP_KEEPALIVE]
	_ = [1]int{}[darwinTCPKeepIntvl-unix.TCP_KEEPINTVL]
	_ = [1]int{}[darwinTCPKeepCnt-unix.TCP_KEEPCNT]
	_ = [1]int{}[darwinTCPRxtConnDropTime-unix.TCP_RXT_CONNDROPTIME]
)
