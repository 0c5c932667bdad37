//go:build solaris && !illumos

package running

import (
	"sync"

	"golang.org/x/sys/unix"
)

// name recognizes 11.4, the first release with TCP_KEEPIDLE, by uname. A release
// that cannot be read is assumed to be recent: 11.4 is from 2018.
var name = sync.OnceValue(func() string {
	var uname unix.Utsname
	if err := unix.Uname(&uname); err == nil &&
		solarisIsBefore114(unix.ByteSliceToString(uname.Release[:]), unix.ByteSliceToString(uname.Version[:])) {
		return "solaris-before-11.4"
	}
	return "solaris"
})

func limits() string { return name() }
