package socket

import (
	"sync"
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A call is one visit to a socket's descriptor. RawConn.Control takes a
// function; a closure made for each visit would be allocated each time, so calls
// are pooled together with their function.
type call struct {
	visit func(fd uintptr) // always (*call).run of this call

	kernel   kernel.Kernel
	askKind  bool                                            // refuse what is not TCP
	listens  func(k kernel.Kernel, fd uintptr) (bool, error) // refuse what listens; nil: do not ask
	setter   *Setter                                         // nil: read the settings
	own      Setter                                          // what setter points to if nobody else keeps it
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

// on visits the socket and gives the call back to the pool. outer is why the
// descriptor could not be had (a closed connection), inner what the visit met.
func (c *call) on(rc syscall.RawConn) (s platform.Settings, inner, outer error) {
	outer = rc.Control(c.visit)
	s, inner = c.settings, c.err
	*c = call{visit: c.visit}
	calls.Put(c)
	return s, inner, outer
}
