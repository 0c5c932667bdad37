//go:build !linux

package inspect

import (
	"runtime"
)

func (f *Filter) list(func(*Socket, error) bool) error {
	return fmtUnsupported("the table of sockets is", runtime.GOOS)
}
