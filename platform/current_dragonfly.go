package platform

import (
	"sync"

	"golang.org/x/sys/unix"
)

// current asks the kernel which unit it counts in. A kernel that does not say
// is taken for a recent one: 5.8 is of 2020.
var current = sync.OnceValue(func() *Table {
	if date, err := unix.SysctlUint32("kern.osreldate"); err == nil && date < dragonflySecondsSince {
		return &dragonflyBefore58
	}
	return &dragonfly
})

var (
	_ = [1]int{}[bsdSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[bsdSoKeepAlive-unix.SO_KEEPALIVE]
	_ = [1]int{}[bsdSoAcceptConn-unix.SO_ACCEPTCONN]
	_ = [1]int{}[bsdSoReuseAddr-unix.SO_REUSEADDR]
	_ = [1]int{}[bsdTCP-unix.IPPROTO_TCP]
	_ = [1]int{}[dragonflyTCPKeepIdle-unix.TCP_KEEPIDLE]
	_ = [1]int{}[dragonflyTCPKeepIntvl-unix.TCP_KEEPINTVL]
	_ = [1]int{}[dragonflyTCPKeepCnt-unix.TCP_KEEPCNT]
)
