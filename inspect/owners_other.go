//go:build !linux

package inspect

import (
	"runtime"
)

func findOwners([]int) (*Owners, error) {
	return nil, fmtUnsupported("which process has a socket open is", runtime.GOOS)
}
