//go:build aix || dragonfly

package testkit

import (
	"time"

	"golang.org/x/sys/unix"
)

// DragonFly BSD counts seconds since 5.8.
var headers = [options]Header{
	{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0},
	{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, time.Second},
	{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, time.Second},
	{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 0},
}
