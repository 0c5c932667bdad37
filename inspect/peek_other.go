//go:build !linux

package inspect

import (
	"runtime"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

type pidfds struct{}

func (pidfds) close() {}

func (p *Peeker) settings(Owner, uint32) (sockopt.Settings, error) {
	return sockopt.Settings{}, fmtUnsupported("what another process's socket holds is", runtime.GOOS)
}
