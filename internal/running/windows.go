//go:build windows

package running

import (
	"errors"
	"sync/atomic"

	"golang.org/x/sys/windows"
)

// hasIdle caches the answer once it is conclusive.
var hasIdle atomic.Pointer[bool]

// name tests on a new socket whether TCP_KEEPIDLE exists, because the version
// number that Windows reports depends on the program's manifest.
func name() string {
	has := hasIdle.Load()
	if has == nil {
		s, err := socket()
		if err != nil {
			return "windows" // ask again next time
		}
		defer windows.Closesocket(s)
		_, err = windows.GetsockoptInt(s, windows.IPPROTO_TCP, windows.TCP_KEEPIDLE)
		missing := errors.Is(err, windows.WSAENOPROTOOPT) || errors.Is(err, windows.WSAEOPNOTSUPP)
		if err != nil && !missing {
			return "windows"
		}
		has = new(!missing)
		hasIdle.Store(has)
	}
	if *has {
		return "windows"
	}
	return "windows-before-1709"
}

func socket() (windows.Handle, error) {
	s, err := windows.Socket(windows.AF_INET, windows.SOCK_STREAM, windows.IPPROTO_TCP)
	if errors.Is(err, windows.WSANOTINITIALISED) { // a program without package net
		var data windows.WSAData
		if err := windows.WSAStartup(0x202, &data); err != nil {
			return 0, err
		}
		s, err = windows.Socket(windows.AF_INET, windows.SOCK_STREAM, windows.IPPROTO_TCP)
	}
	if err != nil {
		s, err = windows.Socket(windows.AF_INET6, windows.SOCK_STREAM, windows.IPPROTO_TCP)
	}
	return s, err
}

func limits() string { return name() }
