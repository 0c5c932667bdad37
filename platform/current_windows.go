package platform

import (
	"sync/atomic"
	"syscall"

	win "golang.org/x/sys/windows"
)

// found caches the answer once it is conclusive.
var found atomic.Pointer[Table]

// current asks a socket of its own whether TCP_KEEPIDLE exists, as the version
// number that Windows reports depends on the program's manifest.
func current() *Table {
	if t := found.Load(); t != nil {
		return t
	}
	s, err := win.Socket(win.AF_INET, win.SOCK_STREAM, win.IPPROTO_TCP)
	if err != nil {
		if s, err = win.Socket(win.AF_INET6, win.SOCK_STREAM, win.IPPROTO_TCP); err != nil {
			return &windows // Windows is not ready to say; ask again next time
		}
	}
	defer win.Closesocket(s)
	t := &windows
	if _, err := win.GetsockoptInt(s, windowsTCP, windowsTCPKeepIdle); err != nil {
		t = &windowsBefore1709
	}
	found.Store(t)
	return t
}

var (
	_ = [1]int{}[windowsSolSocket-win.SOL_SOCKET]
	_ = [1]int{}[windowsSoKeepAlive-win.SO_KEEPALIVE]
	_ = [1]int{}[windowsTCP-win.IPPROTO_TCP]
	_ = [1]int{}[windowsTCPKeepIdle-win.TCP_KEEPIDLE]
	_ = [1]int{}[windowsTCPKeepIntvl-win.TCP_KEEPINTVL]
	_ = [1]int{}[windowsTCPKeepCnt-win.TCP_KEEPCNT]
	_ = [1]int{}[windowsTCPMaxRT-win.TCP_MAXRT]
	_ = [1]int{}[windowsSIOKeepAliveVals-syscall.SIO_KEEPALIVE_VALS]
)
