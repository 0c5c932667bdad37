package testkit

import (
	"time"

	"golang.org/x/sys/unix"
)

// golang.org/x/sys has no TCP_MAXUNACKTIME: its number is that of sys/netinet/tcp.h.
var headers = [options]Header{
	{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0},
	{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, time.Second},
	{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, time.Second},
	{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 0},
	{"TCP_MAXUNACKTIME", unix.IPPROTO_TCP, 68, time.Second},
}
