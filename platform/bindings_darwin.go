package platform

import "golang.org/x/sys/unix"

var (
	_ = [1]int{}[darwinTCPKeepAlive-unix.TCP_KEEPALIVE]
	_ = [1]int{}[darwinTCPKeepIntvl-unix.TCP_KEEPINTVL]
	_ = [1]int{}[darwinTCPKeepCnt-unix.TCP_KEEPCNT]
	_ = [1]int{}[darwinTCPRxtConnDropTime-unix.TCP_RXT_CONNDROPTIME]
)
