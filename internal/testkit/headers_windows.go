package testkit

import (
	"time"

	"golang.org/x/sys/windows"
)

// Before 10 version 1709 a socket has the first and the last only.
var headers = [options]Header{
	{"SO_KEEPALIVE", windows.SOL_SOCKET, windows.SO_KEEPALIVE, 0},
	{"TCP_KEEPIDLE", windows.IPPROTO_TCP, windows.TCP_KEEPIDLE, time.Second},
	{"TCP_KEEPINTVL", windows.IPPROTO_TCP, windows.TCP_KEEPINTVL, time.Second},
	{"TCP_KEEPCNT", windows.IPPROTO_TCP, windows.TCP_KEEPCNT, 0},
	{"TCP_MAXRT", windows.IPPROTO_TCP, windows.TCP_MAXRT, time.Second},
}
