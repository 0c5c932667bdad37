//go:build !linux

package inspect

import (
	"os"
	"runtime"
)

func (q *query) list(func(*Report) bool) error {
	return fmtUnsupported("the table of sockets is", runtime.GOOS)
}

func stillOpen(_ *os.File, sockets []*Report) []bool { return make([]bool, len(sockets)) }
