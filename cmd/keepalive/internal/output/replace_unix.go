//go:build unix

package output

import (
	"errors"
	"io/fs"
	"syscall"
)

// links is how many names a file has.
func links(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}

// isOfAMount tells whether a file cannot be replaced because something is mounted
// there: on its name, or around it for reading only.
func isOfAMount(err error) bool {
	return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EROFS)
}
