package platform

import (
	"errors"
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
	s, err := probeSocket()
	if err != nil {
		return &windows // ask again next time
	}
	defer win.Closesocket(s)
	_, err = win.GetsockoptInt(s, windowsTCP, windowsTCPKeepIdle)
	switch {
	case err == nil:
		found.Store(&windows)
	case noSuchOption(err):
		found.Store(&windowsBefore1709)
	default:
		return &windows
	}
	return found.Load()
}

func probeSocket() (win.Handle, error) {
	s, err := win.Socket(win.AF_INET, win.SOCK_STREAM, win.IPPROTO_TCP)
	if errors.Is(err, win.WSANOTINITIALISED) { // a program without package net
		var data win.WSAData
		if err := win.WSAStartup(0x202, &data); err != nil {
			return 0, err
		}
		s, err = win.Socket(win.AF_INET, win.SOCK_STREAM, win.IPPROTO_TCP)
	}
	if err != nil {
		s, err = win.Socket(win.AF_INET6, win.SOCK_STREAM, win.IPPROTO_TCP)
	}
	return s, err
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
