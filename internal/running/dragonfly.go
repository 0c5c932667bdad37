//go:build dragonfly

package running

import (
	"sync"

	"golang.org/x/sys/unix"
)

// name asks the kernel for its release, on which the unit of the options
// depends. A kernel that does not answer is assumed to be recent: 5.8 is from
// 2020.
var name = sync.OnceValue(func() string {
	if date, err := unix.SysctlUint32("kern.osreldate"); err == nil && date < dragonflySecondsSince {
		return "dragonfly-before-5.8"
	}
	return "dragonfly"
})

func limits() string { return name() }
