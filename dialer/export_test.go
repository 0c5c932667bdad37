package dialer

import (
	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

// WithKernel puts a kernel that fails or lies in the place of the real one.
func (d *Dialer) WithKernel(k kernel.Kernel) *Dialer {
	d.kernel = k
	return d
}

// Prepared is what the next dial would go by.
func (d *Dialer) Prepared() any { return d.latest.Load() }
