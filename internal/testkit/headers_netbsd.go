package testkit

import (
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit in which the kernel counts (PR_SLOWHZ), although tcp(4) says
// seconds.
const tick = time.Second / 2

var headers = [options]Header{
	{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0},
	{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, tick},
	{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, tick},
	{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 0},
}
