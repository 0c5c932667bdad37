package listener

import (
	"net"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// WithKernel puts a kernel that fails or lies in the place of the real one.
func (lc *ListenConfig) WithKernel(k kernel.Kernel) *ListenConfig {
	lc.kernel = k
	return lc
}

// WithTable puts a table in the place of the one of this system.
func (lc *ListenConfig) WithTable(t *kernel.Rules) *ListenConfig {
	lc.system = t
	return lc
}

// ConfigureAs is Configure on another system.
func ConfigureAs(t *kernel.Rules, lc *net.ListenConfig, cfg sockopt.Config) error {
	return configure(t, lc, cfg)
}
