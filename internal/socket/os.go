package socket

import "github.com/tcpkeepalive/keepalive/internal/kernel"

// An OS is the operating system whose sockets are used. The zero value is the running one.
// A test that needs a kernel which fails or returns false values, or the rules of another
// system, puts them here; there is no other way.
type OS struct {
	Calls kernel.Kernel // makes the calls; nil is the running kernel
	Table *kernel.Rules // nil has the rules of the running kernel
}

// Rules returns the rules of the system.
func (o OS) Rules() *kernel.Rules {
	if o.Table != nil {
		return o.Table
	}
	return kernel.Current()
}

// limits returns the rules by which a request is checked and planned, see [kernel.Limits].
func (o OS) limits() *kernel.Rules {
	if o.Table != nil {
		return o.Table
	}
	return kernel.Limits()
}

func (o OS) calls() kernel.Kernel {
	if o.Calls != nil {
		return o.Calls
	}
	return kernel.System()
}
