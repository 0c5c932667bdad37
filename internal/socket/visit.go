package socket

import (
	"sync"
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A call is one use of a socket's descriptor. RawConn.Control takes a function,
// and a closure made for each use would be allocated each time, so calls are
// pooled together with their function.
type call struct {
	visit func(fd uintptr) // always (*call).run of this call

	kernel   kernel.Kernel
	askKind  bool                                            // refuse a socket that is not TCP
	listens  func(k kernel.Kernel, fd uintptr) (bool, error) // refuse a listening socket; nil: do not ask
	setter   *Setter                                         // nil: only read the settings
	own      Setter                                          // the setter of a single use, see once
	settings platform.Settings
	err      error
}

var calls = sync.Pool{New: func() any {
	c := new(call)
	c.visit = c.run
	return c
}}

func (c *call) run(fd uintptr) {
	if c.askKind {
		kind, err := kindOf(c.kernel, fd)
		if err == nil && kind == kernel.NotTCP {
			err = ErrNotTCP
		}
		if err != nil {
			c.err = err
			return
		}
	}
	if c.listens != nil {
		if is, err := c.listens(c.kernel, fd); err != nil || is {
			c.err = err
			if is {
				c.err = onListener(c.setter.rules)
			}
			return
		}
	}
	if c.setter == nil {
		c.settings, c.err = rules().Read(c.kernel, fd)
		return
	}
	c.err = c.setter.sets.Apply(c.kernel, fd, &c.setter.verifies)
}

// on runs the call on the socket and returns it to the pool. outer is the error
// of getting the descriptor (a closed connection), inner that of the call.
func (c *call) on(rc syscall.RawConn) (s platform.Settings, inner, outer error) {
	outer = rc.Control(c.visit)
	s, inner = c.settings, c.err
	*c = call{visit: c.visit}
	calls.Put(c)
	return s, inner, outer
}
