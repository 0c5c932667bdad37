//go:build !illumos

package testkit

import (
	"time"

	"golang.org/x/sys/unix"
)

// golang.org/x/sys has the numbers of illumos here. These are from package net
// (tcpsockopt_solaris.go), for 11.4 and later.
var headers = [options]Header{
	{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0},
	{"TCP_KEEPIDLE", unix.IPPROTO_TCP, 0x1d, time.Second},
	{"TCP_KEEPINTVL", unix.IPPROTO_TCP, 0x1e, time.Second},
	{"TCP_KEEPCNT", unix.IPPROTO_TCP, 0x1f, 0},
	{"TCP_ABORT_THRESHOLD", unix.IPPROTO_TCP, unix.TCP_ABORT_THRESHOLD, time.Millisecond},
}
