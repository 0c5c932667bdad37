//go:build dragonfly

package running

import (
	"sync"

	"golang.org/x/sys/unix"
)

// name asks the kernel which unit it counts in. A kernel that does not answer
// is taken for a recent one: 5.8 is of 2020.
var name = sync.OnceValue(func() string {
	if date, err := unix.SysctlUint32("kern.osreldate"); err == nil && date < dragonflySecondsSince {
		return "dragonfly-before-5.8"
	}
	return "dragonfly"
})
