//go:build linux

package platform

import "golang.org/x/sys/unix"

var (
	_ = [1]int{}[linuxTCP-unix.IPPROTO_TCP]
	_ = [1]int{}[linuxTCPKeepIdle-unix.TCP_KEEPIDLE]
	_ = [1]int{}[linuxTCPKeepIntvl-unix.TCP_KEEPINTVL]
	_ = [1]int{}[linuxTCPKeepCnt-unix.TCP_KEEPCNT]
	_ = [1]int{}[linuxTCPUserTimeout-unix.TCP_USER_TIMEOUT]
)
