//go:build aix || dragonfly || freebsd || illumos || netbsd

package platform

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// These systems have the three options under the same names with different
// numbers. A comparison that is false is a second false key in its map, which
// does not compile.
func _() {
	type check map[bool]struct{}
	_ = check{false: {}, runtime.GOOS != "aix" || unix.TCP_KEEPIDLE == aixTCPKeepIdle: {}}
	_ = check{false: {}, runtime.GOOS != "aix" || unix.TCP_KEEPINTVL == aixTCPKeepIntvl: {}}
	_ = check{false: {}, runtime.GOOS != "aix" || unix.TCP_KEEPCNT == aixTCPKeepCnt: {}}
	_ = check{false: {}, runtime.GOOS != "dragonfly" || unix.TCP_KEEPIDLE == dragonflyTCPKeepIdle: {}}
	_ = check{false: {}, runtime.GOOS != "dragonfly" || unix.TCP_KEEPINTVL == dragonflyTCPKeepIntvl: {}}
	_ = check{false: {}, runtime.GOOS != "dragonfly" || unix.TCP_KEEPCNT == dragonflyTCPKeepCnt: {}}
	_ = check{false: {}, runtime.GOOS != "freebsd" || unix.TCP_KEEPIDLE == freebsdTCPKeepIdle: {}}
	_ = check{false: {}, runtime.GOOS != "freebsd" || unix.TCP_KEEPINTVL == freebsdTCPKeepIntvl: {}}
	_ = check{false: {}, runtime.GOOS != "freebsd" || unix.TCP_KEEPCNT == freebsdTCPKeepCnt: {}}
	_ = check{false: {}, runtime.GOOS != "illumos" || unix.TCP_KEEPIDLE == illumosTCPKeepIdle: {}}
	_ = check{false: {}, runtime.GOOS != "illumos" || unix.TCP_KEEPINTVL == illumosTCPKeepIntvl: {}}
	_ = check{false: {}, runtime.GOOS != "illumos" || unix.TCP_KEEPCNT == illumosTCPKeepCnt: {}}
	_ = check{false: {}, runtime.GOOS != "netbsd" || unix.TCP_KEEPIDLE == netbsdTCPKeepIdle: {}}
	_ = check{false: {}, runtime.GOOS != "netbsd" || unix.TCP_KEEPINTVL == netbsdTCPKeepIntvl: {}}
	_ = check{false: {}, runtime.GOOS != "netbsd" || unix.TCP_KEEPCNT == netbsdTCPKeepCnt: {}}
}
