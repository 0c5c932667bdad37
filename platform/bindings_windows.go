package platform

import (
	win "golang.org/x/sys/windows"
)

var (
	_ = [1]int{}[windowsSolSocket-win.SOL_SOCKET]
	_ = [1]int{}[windowsSoKeepAlive-win.SO_KEEPALIVE]
	_ = [1]int{}[windowsTCP-win.IPPROTO_TCP]
	_ = [1]int{}[windowsTCPKeepIdle-win.TCP_KEEPIDLE]
	_ = [1]int{}[windowsTCPKeepIntvl-win.TCP_KEEPINTVL]
	_ = [1]int{}[windowsTCPKeepCnt-win.TCP_KEEPCNT]
	_ = [1]int{}[windowsTCPMaxRT-win.TCP_MAXRT]
)
