package listener

import (
	"net"

	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// WithKernel puts a kernel that fails or lies in the place of the real one.
func (lc *ListenConfig) WithKernel(k platform.Kernel) *ListenConfig {
	lc.kernel = k
	return lc
}

// WithTable puts a table in the place of the one of this system.
func (lc *ListenConfig) WithTable(t *platform.Table) *ListenConfig {
	lc.system = t
	return lc
}

// ConfigureAs is Configure on another system.
func ConfigureAs(t *platform.Table, lc *net.ListenConfig, cfg sockopt.Config) error {
	return configure(t, lc, cfg)
}
