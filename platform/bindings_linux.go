package platform

import (
	"runtime"

	"golang.org/x/sys/unix"
)

var (
	_ = [1]int{}[linuxTCP-unix.IPPROTO_TCP]
	_ = [1]int{}[linuxTCPKeepIdle-unix.TCP_KEEPIDLE]
	_ = [1]int{}[linuxTCPKeepIntvl-unix.TCP_KEEPINTVL]
	_ = [1]int{}[linuxTCPKeepCnt-unix.TCP_KEEPCNT]
	_ = [1]int{}[linuxTCPUserTimeout-unix.TCP_USER_TIMEOUT]
)

// onMIPS: the numbers of the socket level are different there.
const onMIPS = runtime.GOARCH == "mips" || runtime.GOARCH == "mipsle" || runtime.GOARCH == "mips64" || runtime.GOARCH == "mips64le"

// A comparison that is false is a second false key in its map, which does not
// compile.
func _() {
	type check map[bool]struct{}
	_ = check{false: {}, unix.SOL_SOCKET == linuxSolSocket && unix.SO_KEEPALIVE == linuxSoKeepAlive || onMIPS: {}}
	_ = check{false: {}, unix.SOL_SOCKET == linuxMIPSSolSocket && unix.SO_KEEPALIVE == linuxMIPSSoKeepAlive || !onMIPS: {}}
}
