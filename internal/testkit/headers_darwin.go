package testkit

import (
	"time"

	"golang.org/x/sys/unix"
)

// The idle time has a different name here.
var headers = [options]Header{
	{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0},
	{"TCP_KEEPALIVE", unix.IPPROTO_TCP, unix.TCP_KEEPALIVE, time.Second},
	{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, time.Second},
	{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 0},
	{"TCP_RXT_CONNDROPTIME", unix.IPPROTO_TCP, unix.TCP_RXT_CONNDROPTIME, time.Second},
}
