//go:build unix

package output

import (
	"errors"
	"io/fs"
	"syscall"
)

// links returns the number of names that a file has.
func links(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}

// isOfAMount reports whether err means that a file cannot be replaced because of a mount: the
// file itself is a mount point, or its folder is mounted read-only.
func isOfAMount(err error) bool {
	return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EROFS)
}
