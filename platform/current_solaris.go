//go:build !illumos

package platform

import (
	"sync"

	"golang.org/x/sys/unix"
)

// current tells 11.4, the first release with TCP_KEEPIDLE, by uname. A release
// that cannot be read is taken for a recent one: 11.4 is of 2018.
var current = sync.OnceValue(func() *Table {
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil &&
		solarisIsBefore114(unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Version[:])) {
		return &solarisBefore114
	}
	return &solaris
})

// The three options of 11.4 are not asserted: x/sys has the numbers of illumos
// under their names.
var (
	_ = [1]int{}[sysvSolSocket-unix.SOL_SOCKET]
	_ = [1]int{}[sysvSoKeepAlive-unix.SO_KEEPALIVE]
	_ = [1]int{}[bsdSoAcceptConn-unix.SO_ACCEPTCONN]
	_ = [1]int{}[bsdSoReuseAddr-unix.SO_REUSEADDR]
	_ = [1]int{}[sysvTCP-unix.IPPROTO_TCP]
	_ = [1]int{}[sysvTCPAbortThreshold-unix.TCP_ABORT_THRESHOLD]
	_ = [1]int{}[sysvTCPKeepAliveThreshold-unix.TCP_KEEPALIVE_THRESHOLD]
	_ = [1]int{}[sysvTCPKeepAliveAbortThreshold-unix.TCP_KEEPALIVE_ABORT_THRESHOLD]
)
