package listener

import "github.com/tcpkeepalive/keepalive/platform"

// WithKernel puts a kernel that fails or lies in the place of the real one.
func (lc *ListenConfig) WithKernel(k platform.Kernel) *ListenConfig {
	lc.kernel = k
	return lc
}
