//go:build !linux

package inspect

import (
	"runtime"
)

func (q *query) list(func(*Report) bool) error {
	return fmtUnsupported("the table of sockets is", runtime.GOOS)
}
