package testkit

import (
	"time"

	"golang.org/x/sys/unix"
)

var headers = [options]Header{
	{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0},
	{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, time.Second},
	{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, time.Second},
	{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 0},
	{"TCP_ABORT_THRESHOLD", unix.IPPROTO_TCP, unix.TCP_ABORT_THRESHOLD, time.Millisecond},
}
