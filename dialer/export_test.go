package dialer

import "github.com/tcpkeepalive/keepalive/platform"

// WithKernel puts a kernel that fails or lies in the place of the real one.
func (d *Dialer) WithKernel(k platform.Kernel) *Dialer {
	d.kernel = k
	return d
}
